// The module `mps2`: a disk that is a file of the host, and figures about the board.
//
// Rule: what writeblocks() has written is in the file, also when QEMU is killed in the next moment;
// that is all a power cut leaves. The word cut=N of the command line makes the power fail in the
// N-th write, of which the first half is done.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "board.h"
#include "semihosting.h"

#define PIECE 512

typedef struct {
    mp_obj_base_t base;
    int file;
    uint32_t block;
    uint32_t count;
} disk_t;

static uint32_t writes_until_cut;

// Disk(path, block=4096): the file is there and has its size.
static mp_obj_t disk_make_new(const mp_obj_type_t *type, size_t n, size_t named, const mp_obj_t *args) {
    mp_arg_check_num(n, named, 1, 2, false);
    const char *path = mp_obj_str_get_str(args[0]);
    disk_t *self = mp_obj_malloc(disk_t, type);
    self->block = n == 2 ? mp_obj_get_int(args[1]) : 4096;
    self->file = host_open(path, HOST_CHANGE);
    if (self->file < 0) {
        mp_raise_OSError_with_filename(MP_ENOENT, path);
    }
    self->count = host_length(self->file) / self->block;
    writes_until_cut = host_word("cut", 0);
    return MP_OBJ_FROM_PTR(self);
}

static void seek(disk_t *self, mp_obj_t block, size_t n, const mp_obj_t *args, size_t size) {
    uint32_t at = mp_obj_get_int(block) * self->block + (n == 4 ? mp_obj_get_int(args[3]) : 0);
    if (at + size > self->block * self->count || !host_seek(self->file, at)) {
        mp_raise_OSError(MP_EINVAL);
    }
}

// readblocks(block, buffer, offset=0)
static mp_obj_t disk_readblocks(size_t n, const mp_obj_t *args) {
    disk_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t to;
    mp_get_buffer_raise(args[2], &to, MP_BUFFER_WRITE);
    seek(self, args[1], n, args, to.len);
    return MP_OBJ_NEW_SMALL_INT(host_read(self->file, to.buf, to.len) ? 0 : -MP_EIO);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(disk_readblocks_obj, 3, 4, disk_readblocks);

static int write_or_cut(disk_t *self, const void *from, size_t size) {
    if (writes_until_cut != 0 && --writes_until_cut == 0) {
        host_write(self->file, from, size / 2);
        host_exit(9);
    }
    return host_write(self->file, from, size) ? 0 : -MP_EIO;
}

// writeblocks(block, buffer, offset=0)
static mp_obj_t disk_writeblocks(size_t n, const mp_obj_t *args) {
    disk_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t from;
    mp_get_buffer_raise(args[2], &from, MP_BUFFER_READ);
    seek(self, args[1], n, args, from.len);
    return MP_OBJ_NEW_SMALL_INT(write_or_cut(self, from.buf, from.len));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(disk_writeblocks_obj, 3, 4, disk_writeblocks);

// As flash does: an erased block is all ones. LittleFS asks for it, FAT does not.
static int erase(disk_t *self, mp_obj_t block) {
    static uint8_t ones[PIECE];
    memset(ones, 0xff, sizeof ones);
    seek(self, block, 0, NULL, self->block);
    for (uint32_t done = 0; done < self->block; done += PIECE) {
        if (write_or_cut(self, ones, PIECE) != 0) {
            return -MP_EIO;
        }
    }
    return 0;
}

static mp_obj_t disk_ioctl(mp_obj_t self_in, mp_obj_t operation, mp_obj_t argument) {
    disk_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(operation)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(self->count);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(self->block);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
            return MP_OBJ_NEW_SMALL_INT(erase(self, argument));
        default:                                    // init, deinit, sync: nothing is held back
            return MP_OBJ_NEW_SMALL_INT(0);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(disk_ioctl_obj, disk_ioctl);

static const mp_rom_map_elem_t disk_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&disk_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&disk_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&disk_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(disk_locals, disk_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    disk_type, MP_QSTR_Disk, MP_TYPE_FLAG_NONE,
    make_new, disk_make_new, locals_dict, &disk_locals);

// stack_used(): the deepest the C stack has been since the reset, in bytes
static mp_obj_t mps2_stack_used(void) {
    return MP_OBJ_NEW_SMALL_INT(board_stack_used());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_stack_used_obj, mps2_stack_used);

// word(name): NAME=TEXT of the command line that QEMU was started with, or None
static mp_obj_t mps2_word(mp_obj_t name) {
    char text[256];
    bool found = host_text(mp_obj_str_get_str(name), text, sizeof text);
    return found ? mp_obj_new_str(text, strlen(text)) : mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_word_obj, mps2_word);

static const mp_rom_map_elem_t mps2_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mps2) },
    { MP_ROM_QSTR(MP_QSTR_Disk), MP_ROM_PTR(&disk_type) },
    { MP_ROM_QSTR(MP_QSTR_stack_used), MP_ROM_PTR(&mps2_stack_used_obj) },
    { MP_ROM_QSTR(MP_QSTR_word), MP_ROM_PTR(&mps2_word_obj) },
};
static MP_DEFINE_CONST_DICT(mps2_globals, mps2_table);

const mp_obj_module_t mps2_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&mps2_globals,
};
MP_REGISTER_MODULE(MP_QSTR_mps2, mps2_module);
