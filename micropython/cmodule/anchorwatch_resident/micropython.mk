# Read by MicroPython's make for each folder in USER_C_MODULES. Only with the manifest of
# micropython/resident, whose constants this module stands under: make ... ANCHORWATCH_RESIDENT=1
ifneq ($(ANCHORWATCH_RESIDENT),)
SRC_USERMOD_C += $(USERMOD_DIR)/anchorwatch_resident.c
CFLAGS_USERMOD += -I$(USERMOD_DIR) -DANCHORWATCH_RESIDENT -DMICROPY_MODULE_BUILTIN_SUBPACKAGES=1
endif
