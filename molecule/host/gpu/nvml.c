/* NVML of the simulated driver: what NVIDIA's toolkit, device plugin and `nvidia-smi` ask beside memory.
 * It is built once for each version of the driver, as the real one is, and compares itself with the
 * module that is loaded. What the real library asks the kernel stands in a file, a fact a line; the
 * toolkit mounts that file into every container with a GPU, for it takes it for the socket of NVIDIA's
 * daemon. Names, numbers and structures are NVIDIA's. */
#define _GNU_SOURCE
#define nvmlInit_v2 memory_is_there
#define nvmlDeviceGetHandleByIndex_v2 only_gpu
#define nvmlDeviceGetMemoryInfo memory_claimed
#define nvmlErrorString words_of_memory
#include "../../testbed/images/nvml/nvml.c"
#undef nvmlInit_v2
#undef nvmlDeviceGetHandleByIndex_v2
#undef nvmlDeviceGetMemoryInfo
#undef nvmlErrorString
#include <errno.h>
#include <stdio.h>

#define FACTS "/run/nvidia-persistenced/socket"

enum { NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, MISMATCH = 18 };

typedef struct {
  char old_bus_id[16];
  unsigned int domain, bus, device, ids, subsystem;
  char bus_id[32];
} Pci;

/* Returns the file's text, to be freed, or NULL where no driver is loaded. */
static char *read_facts(int file) {
  char *text = file < 0 ? NULL : calloc(1, 4096);
  if (text && pread(file, text, 4095, 0) < 0) free(text), text = NULL;
  return text;
}

/* Returns where a fact's line begins, or NULL. */
static char *line_of(char *text, const char *name) {
  for (char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL)
    if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == '=') return line;
  return NULL;
}

/* Copies a fact's value; its length, or -1 where nobody tells. */
static int read_fact(const char *name, char *value, size_t room) {
  int file = open(FACTS, O_RDONLY | O_CLOEXEC), length = -1;
  char *text = read_facts(file), *line = line_of(text, name);
  if (file >= 0) close(file);
  if (line) {
    line[strcspn(line, "\n")] = '\0';
    length = snprintf(value, room, "%s", line + strlen(name) + 1);
  }
  free(text);
  return length;
}

static int give_text(const char *name, char *text, unsigned int room) {
  char fact[128];
  int length = read_fact(name, fact, sizeof fact);
  if (length < 0) return UNKNOWN;
  if ((unsigned int)length >= room) return INSUFFICIENT_SIZE;
  memcpy(text, fact, (size_t)length + 1);
  return SUCCESS;
}

static int give_number(const char *name, unsigned int *number) {
  char fact[32];
  if (read_fact(name, fact, sizeof fact) < 0) return NOT_SUPPORTED;
  *number = (unsigned int)strtoul(fact, NULL, 10);
  return SUCCESS;
}

static int put_number(const char *name, unsigned int number) {
  if (geteuid() != 0) return NO_PERMISSION;
  int file = open(FACTS, O_RDWR | O_CLOEXEC), result = UNKNOWN;
  char *text = read_facts(file), *line = line_of(text, name), changed[4200];
  if (line) {
    /* In place: containers have this very file mounted. */
    int size = snprintf(changed, sizeof changed, "%.*s%s=%u%s", (int)(line - text), text, name, number,
                        line + strcspn(line, "\n"));
    if (pwrite(file, changed, (size_t)size, 0) == size && ftruncate(file, size) == 0) result = SUCCESS;
  }
  if (file >= 0) close(file);
  free(text);
  return result;
}

int nvmlInit_v2(void) {
  /* No driver stands behind the node, so opening it ends with ENXIO: that much is allowed to us. */
  int control = open("/dev/nvidiactl", O_RDWR | O_CLOEXEC);
  if (control >= 0) close(control);
  else if (errno == ENOENT) return DRIVER_NOT_LOADED;
  else if (errno != ENXIO && errno != ENODEV) return UNKNOWN; /* The container's device rules refuse. */
  char module[32];
  if (read_fact("version", module, sizeof module) < 0) return DRIVER_NOT_LOADED;
  return strcmp(module, VERSION) == 0 ? SUCCESS : MISMATCH;
}

int nvmlInitWithFlags(unsigned int flags) { return (void)flags, nvmlInit_v2(); }

const char *nvmlErrorString(int result) {
  switch (result) {
    case NOT_SUPPORTED: return "Not Supported";
    case NO_PERMISSION: return "Insufficient Permissions";
    case NOT_FOUND: return "Not Found";
    case INSUFFICIENT_SIZE: return "Insufficient Size";
    case MISMATCH: return "Driver/library version mismatch";
    default: return words_of_memory(result);
  }
}

int nvmlSystemGetNVMLVersion(char *version, unsigned int room) {
  /* As the real one tells: without the last part of the driver's three. */
  const char *second = strchr(VERSION, '.');
  size_t length = second ? (size_t)(second - VERSION) + 1 + strcspn(second + 1, ".") : strlen(VERSION);
  if (length >= room) return INSUFFICIENT_SIZE;
  memcpy(version, VERSION, length);
  version[length] = '\0';
  return SUCCESS;
}

int nvmlSystemGetDriverVersion(char *text, unsigned int room) { return give_text("version", text, room); }
int nvmlSystemGetCudaDriverVersion(int *cuda) { return give_number("cuda", (unsigned int *)cuda); }
int nvmlSystemGetCudaDriverVersion_v2(int *cuda) { return nvmlSystemGetCudaDriverVersion(cuda); }

int nvmlDeviceGetCount_v2(unsigned int *count) { return give_number("count", count); }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, const void **gpu) {
  unsigned int count = 0;
  if (nvmlDeviceGetCount_v2(&count) != SUCCESS || index >= count) return INVALID_ARGUMENT;
  return only_gpu(index, gpu);
}

int nvmlDeviceGetUUID(const void *gpu, char *uuid, unsigned int room) {
  return gpu == &the_gpu ? give_text("uuid", uuid, room) : INVALID_ARGUMENT;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, const void **gpu) {
  char known[96];
  if (nvmlDeviceGetUUID(&the_gpu, known, sizeof known) != SUCCESS) return NOT_FOUND;
  return strcmp(uuid, known) == 0 ? nvmlDeviceGetHandleByIndex_v2(0, gpu) : NOT_FOUND;
}

int nvmlDeviceGetPciInfo_v3(const void *gpu, Pci *pci) {
  char address[32];
  if (gpu != &the_gpu || pci == NULL) return INVALID_ARGUMENT;
  if (read_fact("pci_address", address, sizeof address) < 0) return UNKNOWN;
  memset(pci, 0, sizeof *pci);
  if (sscanf(address, "%x:%x:%x.", &pci->domain, &pci->bus, &pci->device) != 3) return UNKNOWN;
  snprintf(pci->old_bus_id, sizeof pci->old_bus_id, "%04X:%02X:%02X.0", pci->domain & 0xffff,
           pci->bus & 0xff, pci->device & 0xff);
  snprintf(pci->bus_id, sizeof pci->bus_id, "%08X:%02X:%02X.0", pci->domain, pci->bus & 0xff,
           pci->device & 0xff);
  return give_number("pci_ids", &pci->ids);
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, const void **gpu) {
  Pci pci;
  if (nvmlDeviceGetPciInfo_v3(&the_gpu, &pci) != SUCCESS) return NOT_FOUND;
  int same = strcasecmp(bus_id, pci.bus_id) == 0 || strcasecmp(bus_id, pci.old_bus_id) == 0;
  return same ? nvmlDeviceGetHandleByIndex_v2(0, gpu) : NOT_FOUND;
}

/* What engines claimed, where their folder is mounted; else all is free. */
int nvmlDeviceGetMemoryInfo(const void *gpu, Memory *memory) {
  char total[32];
  if (gpu != &the_gpu || memory == NULL) return INVALID_ARGUMENT;
  if (memory_claimed(gpu, memory) == SUCCESS) return SUCCESS;
  if (read_fact("total_bytes", total, sizeof total) < 0) return UNKNOWN;
  memory->total = memory->free = strtoull(total, NULL, 10);
  memory->used = 0;
  return SUCCESS;
}

int nvmlDeviceGetName(const void *gpu, char *name, unsigned int room) {
  return gpu == &the_gpu ? give_text("name", name, room) : INVALID_ARGUMENT;
}

int nvmlDeviceGetCudaComputeCapability(const void *gpu, int *major, int *minor) {
  char text[16];
  if (gpu != &the_gpu || read_fact("capability", text, sizeof text) < 0) return INVALID_ARGUMENT;
  return sscanf(text, "%d.%d", major, minor) == 2 ? SUCCESS : UNKNOWN;
}

int nvmlDeviceGetMigMode(const void *gpu, unsigned int *now, unsigned int *wanted) {
  (void)wanted; /* A GeForce has none; the number is there in a state that simulates another GPU. */
  return gpu == &the_gpu ? give_number("mig", now) : INVALID_ARGUMENT;
}

static int always_zero(const void *gpu, unsigned int *number) {
  if (gpu != &the_gpu) return INVALID_ARGUMENT;
  *number = 0;
  return SUCCESS;
}

int nvmlDeviceIsMigDeviceHandle(const void *gpu, unsigned int *is_mig) { return always_zero(gpu, is_mig); }
int nvmlDeviceGetMaxMigDeviceCount(const void *gpu, unsigned int *count) { return always_zero(gpu, count); }
int nvmlDeviceGetIndex(const void *gpu, unsigned int *index) { return always_zero(gpu, index); }
int nvmlDeviceGetMinorNumber(const void *gpu, unsigned int *minor) { return always_zero(gpu, minor); }

int nvmlDeviceGetAddressingMode(const void *gpu, void *mode) {
  return (void)gpu, (void)mode, NOT_SUPPORTED;
}

int nvmlDeviceGetBrand(const void *gpu, unsigned int *brand) {
  return (void)gpu, give_number("brand", brand);
}

int nvmlDeviceGetArchitecture(const void *gpu, unsigned int *architecture) {
  return (void)gpu, give_number("architecture", architecture);
}

int nvmlDeviceGetPersistenceMode(const void *gpu, unsigned int *on) {
  return (void)gpu, give_number("persistence", on);
}

int nvmlDeviceSetPersistenceMode(const void *gpu, unsigned int on) {
  return (void)gpu, put_number("persistence", on);
}

int nvmlDeviceGetPowerManagementLimit(const void *gpu, unsigned int *milliwatts) {
  return (void)gpu, give_number("power_limit_mw", milliwatts);
}

int nvmlDeviceGetPowerManagementDefaultLimit(const void *gpu, unsigned int *milliwatts) {
  return (void)gpu, give_number("power_default_mw", milliwatts);
}

int nvmlDeviceGetPowerManagementLimitConstraints(const void *gpu, unsigned int *least, unsigned int *most) {
  int result = give_number("power_min_mw", least);
  return (void)gpu, result != SUCCESS ? result : give_number("power_max_mw", most);
}

int nvmlDeviceSetPowerManagementLimit(const void *gpu, unsigned int milliwatts) {
  unsigned int least, most;
  int result = nvmlDeviceGetPowerManagementLimitConstraints(gpu, &least, &most);
  if (result != SUCCESS) return result;
  if (milliwatts < least || milliwatts > most) return INVALID_ARGUMENT;
  return put_number("power_limit_mw", milliwatts);
}
