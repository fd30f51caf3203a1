# Read by MicroPython's make for each folder in USER_C_MODULES. Only with the manifest of
# micropython/resident, whose constants this module stands under: make ... ANCHORWATCH_RESIDENT=1
ifneq ($(ANCHORWATCH_RESIDENT),)
SRC_USERMOD_C += $(USERMOD_DIR)/anchorwatch_resident.c
CFLAGS_USERMOD += -I$(USERMOD_DIR)
CFLAGS_USERMOD += -DANCHORWATCH_RESIDENT -DMICROPY_MODULE_BUILTIN_SUBPACKAGES=1

# makemanifest.py looks at the agent's sources only. What is frozen also changes with the names that
# C code knows, with the firmware's modules, and with the tool that freezes.
$(BUILD)/frozen_content.c: $(BUILD)/resident
$(BUILD)/resident: $(BUILD)/genhdr/qstrdefs.generated.h $(BUILD)/genhdr/moduledefs.h \
		$(wildcard $(USERMOD_DIR)/../../resident/*.py)
	$(Q)rm -f $(BUILD)/frozen_content.c
	$(Q)touch $@
endif
