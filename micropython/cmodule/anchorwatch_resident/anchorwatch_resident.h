// What the constants of the agent refer to; see anchorwatch_resident.c.
#ifndef ANCHORWATCH_RESIDENT_H
#define ANCHORWATCH_RESIDENT_H

#include "py/obj.h"
#include "py/stream.h"

// As py/objproperty.c has it: getter, setter, deleter.
typedef struct _anchorwatch_property_t {
    mp_obj_base_t base;
    mp_rom_obj_t proxy[3];
} anchorwatch_property_t;

// As py/objclosure.c has it, for a method that asks for super(): its class is in a cell.
typedef struct _anchorwatch_closure_t {
    mp_obj_base_t base;
    mp_rom_obj_t fun;
    size_t n_closed;
    mp_rom_obj_t closed[1];
} anchorwatch_closure_t;
typedef struct _anchorwatch_cell_t {
    mp_obj_base_t base;
    mp_rom_obj_t value;
} anchorwatch_cell_t;
extern const mp_obj_type_t mp_type_closure;

// The slots of every class of ours.
mp_obj_t anchorwatch_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args);
void anchorwatch_print(const mp_print_t *print, mp_obj_t self, mp_print_kind_t kind);
mp_obj_t anchorwatch_call(mp_obj_t self, size_t n_args, size_t n_kw, const mp_obj_t *args);
mp_obj_t anchorwatch_unary_op(mp_unary_op_t op, mp_obj_t self);
mp_obj_t anchorwatch_binary_op(mp_binary_op_t op, mp_obj_t left, mp_obj_t right);
void anchorwatch_attr(mp_obj_t self, qstr name, mp_obj_t *dest);
mp_obj_t anchorwatch_subscr(mp_obj_t self, mp_obj_t index, mp_obj_t value);
mp_obj_t anchorwatch_iter(mp_obj_t self, mp_obj_iter_buf_t *buffer);
mp_int_t anchorwatch_buffer(mp_obj_t self, mp_buffer_info_t *info, mp_uint_t flags);

// A package is imported.
MP_DECLARE_CONST_FUN_OBJ_0(anchorwatch_init_obj);

// io.IOBase, which MicroPython keeps to itself.
extern const mp_obj_type_t anchorwatch_iobase;
extern const mp_stream_p_t anchorwatch_stream;

#endif
