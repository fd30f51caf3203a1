// The agent's modules as modules of the firmware, and what its classes stand on.
//
// Rule: a class that lies in the flash behaves as one that a `class` statement has made. What such a
// class does is kept to itself by py/objtype.c, so one real class is made when the first of ours is
// used, and its slots are called: they take the object and ask it for its own class.
//
// Source: MicroPython 1.25, py/objtype.c, py/modio.c; the constants: micropython/resident.
#include "py/builtin.h"
#include "py/runtime.h"
#include "anchorwatch_resident.h"

extern const mp_obj_module_t mp_module_io, anchorwatch_module, anchorwatch_board_module;
MP_REGISTER_MODULE(MP_QSTR_anchorwatch, anchorwatch_module);
MP_REGISTER_MODULE(MP_QSTR_anchorwatch_board, anchorwatch_board_module);
MP_REGISTER_ROOT_POINTER(const mp_obj_type_t *anchorwatch_model);

static const mp_obj_type_t *model(void) {
    if (MP_STATE_VM(anchorwatch_model) == NULL) {
        mp_obj_t made = mp_obj_new_type(MP_QSTR_object, mp_const_empty_tuple, mp_obj_new_dict(0));
        MP_STATE_VM(anchorwatch_model) = MP_OBJ_TO_PTR(made);
    }
    return MP_STATE_VM(anchorwatch_model);
}

// Asked for at each import of a package; without it, a package's own __getattr__ would be.
static mp_obj_t init(void) {
    model();
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(anchorwatch_init_obj, init);

mp_obj_t anchorwatch_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    return MP_OBJ_TYPE_GET_SLOT(model(), make_new)(type, n_args, n_kw, args);
}

void anchorwatch_print(const mp_print_t *print, mp_obj_t self, mp_print_kind_t kind) {
    MP_OBJ_TYPE_GET_SLOT(model(), print)(print, self, kind);
}

mp_obj_t anchorwatch_call(mp_obj_t self, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    return MP_OBJ_TYPE_GET_SLOT(model(), call)(self, n_args, n_kw, args);
}

mp_obj_t anchorwatch_unary_op(mp_unary_op_t op, mp_obj_t self) {
    return MP_OBJ_TYPE_GET_SLOT(model(), unary_op)(op, self);
}

mp_obj_t anchorwatch_binary_op(mp_binary_op_t op, mp_obj_t left, mp_obj_t right) {
    return MP_OBJ_TYPE_GET_SLOT(model(), binary_op)(op, left, right);
}

void anchorwatch_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    MP_OBJ_TYPE_GET_SLOT(model(), attr)(self, name, dest);
}

mp_obj_t anchorwatch_subscr(mp_obj_t self, mp_obj_t index, mp_obj_t value) {
    return MP_OBJ_TYPE_GET_SLOT(model(), subscr)(self, index, value);
}

mp_obj_t anchorwatch_iter(mp_obj_t self, mp_obj_iter_buf_t *buffer) {
    return ((mp_getiter_fun_t)MP_OBJ_TYPE_GET_SLOT(model(), iter))(self, buffer);
}

mp_int_t anchorwatch_buffer(mp_obj_t self, mp_buffer_info_t *info, mp_uint_t flags) {
    return MP_OBJ_TYPE_GET_SLOT(model(), buffer)(self, info, flags);
}

// The real io.IOBase, by its name.
static const mp_obj_type_t *iobase(void) {
    mp_obj_t found = mp_load_attr(MP_OBJ_FROM_PTR(&mp_module_io), MP_QSTR_IOBase);
    return MP_OBJ_TO_PTR(found);
}

static const mp_stream_p_t *real_stream(void) {
    return MP_OBJ_TYPE_GET_SLOT(iobase(), protocol);
}

static mp_obj_t iobase_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    return MP_OBJ_TYPE_GET_SLOT(iobase(), make_new)(type, n_args, n_kw, args);
}

static mp_uint_t stream_read(mp_obj_t self, void *into, mp_uint_t size, int *error) {
    return real_stream()->read(self, into, size, error);
}

static mp_uint_t stream_write(mp_obj_t self, const void *from, mp_uint_t size, int *error) {
    return real_stream()->write(self, from, size, error);
}

static mp_uint_t stream_ioctl(mp_obj_t self, mp_uint_t request, uintptr_t given, int *error) {
    return real_stream()->ioctl(self, request, given, error);
}

const mp_stream_p_t anchorwatch_stream = {
    .read = stream_read,
    .write = stream_write,
    .ioctl = stream_ioctl,
};

MP_DEFINE_CONST_OBJ_TYPE(
    anchorwatch_iobase,
    MP_QSTR_IOBase,
    MP_TYPE_FLAG_NONE,
    make_new, iobase_make_new,
    protocol, &anchorwatch_stream
    );
