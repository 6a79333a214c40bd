/* Simulated NVML: reads a GPU that is a folder (vllm_simulator/gpu/directory.py) as the real library
 * reads a real one. The folder holds `total_bytes` and a `.claim` file per engine with the bytes it
 * uses; the owner's lock on its claim is the proof that the owner lives, so a killed engine's memory
 * is free at once. Names, numbers and the structure are NVIDIA's. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, DRIVER_NOT_LOADED = 9, UNKNOWN = 999 };

typedef struct {
  unsigned long long total, free, used;
} Memory;

static const char the_gpu;

static int open_folder(void) {
  const char *folder = getenv("VLLM_SIMULATOR_GPU");
  return open(folder ? folder : "/opt/simulated-gpu", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Tells whether the file could be read; an empty one, of an engine that just opened its claim, is 0. */
static int read_number(int file, unsigned long long *number) {
  char text[32];
  ssize_t size = pread(file, text, sizeof text - 1, 0);
  if (size < 0) return 0;
  text[size] = '\0';
  *number = strtoull(text, NULL, 10);
  return 1;
}

static int read_total(int folder, unsigned long long *total) {
  int file = openat(folder, "total_bytes", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  int good = read_number(file, total);
  close(file);
  return good;
}

static int is_claim(const char *name) {
  size_t length = strlen(name);
  return length > 6 && strcmp(name + length - 6, ".claim") == 0;
}

static unsigned long long held_by(int folder, const char *name) {
  unsigned long long held = 0;
  int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0; /* Somebody has just removed what an engine left behind. */
  int abandoned = flock(file, LOCK_SH | LOCK_NB) == 0;
  if (abandoned || !read_number(file, &held)) held = 0;
  close(file);
  return held;
}

int nvmlInit_v2(void) {
  unsigned long long total;
  int folder = open_folder();
  if (folder < 0) return DRIVER_NOT_LOADED;
  int good = read_total(folder, &total);
  close(folder);
  return good ? SUCCESS : DRIVER_NOT_LOADED;
}

int nvmlShutdown(void) { return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, const void **gpu) {
  if (index != 0 || gpu == NULL) return INVALID_ARGUMENT;
  *gpu = &the_gpu;
  return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(const void *gpu, Memory *memory) {
  if (gpu != &the_gpu || memory == NULL) return INVALID_ARGUMENT;
  int folder = open_folder();
  if (folder < 0) return UNKNOWN;
  if (!read_total(folder, &memory->total)) return close(folder), UNKNOWN;
  DIR *entries = fdopendir(folder);
  if (entries == NULL) return close(folder), UNKNOWN;
  memory->used = 0;
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
    if (is_claim(entry->d_name)) memory->used += held_by(folder, entry->d_name);
  memory->free = memory->total - memory->used;
  closedir(entries);
  return SUCCESS;
}

const char *nvmlErrorString(int result) {
  switch (result) {
    case SUCCESS: return "Success";
    case INVALID_ARGUMENT: return "Invalid Argument";
    case DRIVER_NOT_LOADED: return "Driver Not Loaded";
    default: return "Unknown Error";
  }
}
