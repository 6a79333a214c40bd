/* Simulated nvidia-smi: what the roles and a check in a pod ask, with the words, the layout and the exit
 * codes of recordings (tests/support/host_lab_gpu/README.md names them). It knows the driver through
 * libnvidia-ml.so.1 alone, as the real one does, so it fails where that fails. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NO_DEVICES = 6, NOT_LOADED = 9, NO_LIBRARY = 12, MISMATCH = 18 };
enum { MIB = 1024 * 1024, NEW_NAMES_SINCE = 610 };

typedef struct { char old_bus_id[16]; unsigned int numbers[5]; char bus_id[32]; } Pci;
typedef struct { unsigned long long total, free, used; } Memory;

static void *library, *gpu;
static char driver[96], name[96], uuid[96], answer[96];
static Pci pci;
static Memory memory;
static unsigned int cuda, persistence, count;

/* Every function that is asked takes a handle and one or two pointers, or only the latter. */
typedef int (*Asked)();
static Asked of(const char *function) { return (Asked)dlsym(library, function); }

static const char *words_of(int result) {
  const char *(*words)(int);
  *(void **)&words = dlsym(library, "nvmlErrorString");
  return words(result);
}

static const char *yes_or_no(unsigned int on) { return on ? "Enabled" : "Disabled"; }

static const char *watts(const char *function, int with_units) {
  unsigned int least = 0, most = 0;
  int constraints = strstr(function, "Constraints") != NULL;
  int wants_most = strcmp(function, "nvmlDeviceGetPowerManagementLimitConstraints most") == 0;
  int result = constraints ? of("nvmlDeviceGetPowerManagementLimitConstraints")(gpu, &least, &most)
                           : of(function)(gpu, &least);
  if (result != SUCCESS) return "[N/A]";
  snprintf(answer, sizeof answer, "%.2f%s", (wants_most ? most : least) / 1000.0, with_units ? " W" : "");
  return answer;
}

static const char *mebibytes(unsigned long long bytes, int with_units) {
  snprintf(answer, sizeof answer, "%llu%s", bytes / MIB, with_units ? " MiB" : "");
  return answer;
}

static const char *number(unsigned int value) {
  snprintf(answer, sizeof answer, "%u", value);
  return answer;
}

static const char *mig(void) {
  unsigned int now = 0, wanted = 0;
  return of("nvmlDeviceGetMigMode")(gpu, &now, &wanted) == SUCCESS ? yes_or_no(now) : "[N/A]";
}

static const char *capability(void) {
  int major = 0, minor = 0;
  of("nvmlDeviceGetCudaComputeCapability")(gpu, &major, &minor);
  snprintf(answer, sizeof answer, "%d.%d", major, minor);
  return answer;
}

/* The value of one field of --query-gpu, or NULL where it has no such field. */
static const char *value_of(const char *field, int with_units) {
  if (!strcmp(field, "index")) return number(0);
  if (!strcmp(field, "count")) return number(count);
  if (!strcmp(field, "name") || !strcmp(field, "gpu_name")) return name;
  if (!strcmp(field, "uuid") || !strcmp(field, "gpu_uuid")) return uuid;
  if (!strcmp(field, "driver_version")) return driver;
  if (!strcmp(field, "pci.bus_id") || !strcmp(field, "gpu_bus_id")) return pci.bus_id;
  if (!strcmp(field, "compute_cap")) return capability();
  if (!strcmp(field, "memory.total")) return mebibytes(memory.total, with_units);
  if (!strcmp(field, "memory.used")) return mebibytes(memory.used, with_units);
  if (!strcmp(field, "memory.free")) return mebibytes(memory.free, with_units);
  if (!strcmp(field, "persistence_mode")) return yes_or_no(persistence);
  if (!strcmp(field, "mig.mode.current")) return mig();
  if (!strcmp(field, "display_active")) return "Disabled";
  if (!strcmp(field, "power.limit")) return watts("nvmlDeviceGetPowerManagementLimit", with_units);
  if (!strcmp(field, "power.default_limit"))
    return watts("nvmlDeviceGetPowerManagementDefaultLimit", with_units);
  if (!strcmp(field, "power.min_limit"))
    return watts("nvmlDeviceGetPowerManagementLimitConstraints least", with_units);
  if (!strcmp(field, "power.max_limit"))
    return watts("nvmlDeviceGetPowerManagementLimitConstraints most", with_units);
  return NULL;
}

static int query(char *fields, const char *format) {
  int with_units = strstr(format, "nounits") == NULL, with_header = strstr(format, "noheader") == NULL;
  char *names[64];
  int wanted = 0;
  for (char *field = strtok(fields, ","); field && wanted < 64; field = strtok(NULL, ",")) {
    while (*field == ' ') field++;
    if (value_of(field, 0) == NULL) {
      printf("Field \"%s\" is not a valid field to query.\n\n", field);
      return 2;
    }
    names[wanted++] = field;
  }
  for (int i = 0; with_header && i < wanted; i++) {
    const char *unit = strncmp(names[i], "memory.", 7) == 0 ? " [MiB]" : strncmp(names[i], "power.", 6) == 0 ? " [W]" : "";
    printf("%s%s%s", names[i], with_units ? unit : "", i + 1 < wanted ? ", " : "\n");
  }
  for (int i = 0; i < wanted; i++) printf("%s%s", value_of(names[i], with_units), i + 1 < wanted ? ", " : "\n");
  return SUCCESS;
}

static void head(char *line, size_t room) {
  char versions[2][128];
  int is_new = atoi(driver) >= NEW_NAMES_SINCE;
  snprintf(versions[0], sizeof versions[0], "%s Version: %s", is_new ? "KMD" : "Driver", driver);
  snprintf(versions[1], sizeof versions[1], "CUDA %sVersion: %u.%u", is_new ? "UMD " : "", cuda / 1000,
           cuda % 1000 / 10);
  snprintf(line, room, "| NVIDIA-SMI %-23s%-*s%-*s|", driver, is_new ? 27 : 31, versions[0],
           is_new ? 27 : 23, versions[1]);
}

static int table(void) {
  const char *rule = "+-----------------------------------------------------------------------------------------+";
  const char *parts = "+-----------------------------------------+------------------------+----------------------+";
  char line[512], used[48];
  head(line, sizeof line);
  printf("%s\n%s\n%s\n", rule, line, parts);
  printf("| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |\n");
  printf("| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |\n");
  printf("|                                         |                        |               MIG M. |\n");
  printf("|=========================================+========================+======================|\n");
  printf("|   0  %-27.27s    %3s |   %16s Off |                  N/A |\n", name, persistence ? "On" : "Off", pci.bus_id);
  snprintf(used, sizeof used, "%lluMiB / %6lluMiB", memory.used / MIB, memory.total / MIB);
  printf("|  0%%   31C    P8             25W / %4.0fW | %22s |      0%%      Default |\n",
         strtod(watts("nvmlDeviceGetPowerManagementLimit", 0), NULL), used);
  printf("|                                         |                        |%21s |\n%s\n", "N/A", parts);
  return SUCCESS;
}

static int versions(void) {
  char nvml[96] = "";
  of("nvmlSystemGetNVMLVersion")(nvml, sizeof nvml);
  const char *words = atoi(driver) >= NEW_NAMES_SINCE ? "KMD version          : %s\nCUDA UMD Version     : %u.%u\n"
                                                      : "DRIVER version       : %s\nCUDA Version         : %u.%u\n";
  printf("NVIDIA-SMI version  : %s\nNVML version         : %s\n", VERSION, nvml);
  printf(words, driver, cuda / 1000, cuda % 1000 / 10);
  return SUCCESS;
}

/* What follows a name's `=`, or is the next word where the name is a short one; NULL: it is neither. */
static const char *value_after(const char *long_name, const char *short_name, char **words) {
  size_t length = strlen(long_name);
  if (!strncmp(words[0], long_name, length) && words[0][length] == '=') return words[0] + length + 1;
  return strcmp(words[0], short_name) == 0 ? words[1] : NULL;
}

static int set(int is_power, const char *value) {
  const char *function = is_power ? "nvmlDeviceSetPowerManagementLimit" : "nvmlDeviceSetPersistenceMode";
  int result = of(function)(gpu, (unsigned int)(strtod(value, NULL) * (is_power ? 1000 : 1)));
  if (result == SUCCESS && is_power)
    printf("Power limit for GPU %s was set to %.2f W.\nAll done.\n", pci.bus_id, strtod(value, NULL));
  else if (result == SUCCESS)
    printf("%s persistence mode for GPU %s.\nAll done.\n", yes_or_no(atoi(value)), pci.bus_id);
  else if (result == 2)
    printf("Provided power limit %s W is not a valid power limit for GPU %s\n", value, pci.bus_id);
  else
    printf("Unable to set it for GPU %s: %s\n", pci.bus_id, words_of(result));
  return result;
}

static int begin(void) {
  library = dlopen("libnvidia-ml.so.1", RTLD_LAZY);
  if (library == NULL) {
    puts("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display Driver is properly installed and present in your system.\nPlease also try adding directory that contains libnvidia-ml.so to your system PATH.");
    return NO_LIBRARY;
  }
  char nvml[96] = "";
  int result = of("nvmlInit_v2")();
  of("nvmlSystemGetNVMLVersion")(nvml, sizeof nvml);
  if (result == NOT_LOADED)
    puts("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n");
  else if (result != SUCCESS)
    printf("Failed to initialize NVML: %s\n", words_of(result));
  if (result == MISMATCH) printf("NVML library version: %s\n", nvml);
  return result;
}

static int look(void) {
  of("nvmlDeviceGetCount_v2")(&count);
  if (count == 0 || of("nvmlDeviceGetHandleByIndex_v2")(0u, &gpu) != SUCCESS) {
    puts("No devices were found");
    return NO_DEVICES;
  }
  of("nvmlSystemGetDriverVersion")(driver, sizeof driver);
  of("nvmlSystemGetCudaDriverVersion_v2")(&cuda);
  of("nvmlDeviceGetName")(gpu, name, sizeof name);
  of("nvmlDeviceGetUUID")(gpu, uuid, sizeof uuid);
  of("nvmlDeviceGetPciInfo_v3")(gpu, &pci);
  of("nvmlDeviceGetMemoryInfo")(gpu, &memory);
  of("nvmlDeviceGetPersistenceMode")(gpu, &persistence);
  return SUCCESS;
}

int main(int argc, char **argv) {
  int result = begin();
  if (result == SUCCESS) result = look();
  if (result != SUCCESS) return result > 255 ? 255 : result;
  char *fields = NULL;
  const char *format = "";
  for (int i = 1; i < argc; i++) {
    const char *persistent = value_after("--persistence-mode", "-pm", argv + i);
    const char *limit = value_after("--power-limit", "-pl", argv + i);
    if (persistent || limit) return set(limit != NULL, limit ? limit : persistent);
    if (!strncmp(argv[i], "--query-gpu=", 12)) fields = argv[i] + 12;
    else if (!strncmp(argv[i], "--format=", 9)) format = argv[i] + 9;
    else if (!strcmp(argv[i], "--version")) return versions();
    else if (!strcmp(argv[i], "-L") || !strcmp(argv[i], "--list-gpus")) {
      printf("GPU 0: %s (UUID: %s)\n", name, uuid);
      return SUCCESS;
    } else if (!value_after("--id", "-i", argv + i)) {
      printf("Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n\n");
      return 2;
    } else if (!strcmp(argv[i], "-i")) i++;
  }
  return fields ? query(fields, format) : table();
}
