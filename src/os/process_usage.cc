#include "os/process_usage.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

namespace nacre::os {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

uint64_t count_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), &::closedir);
  if (directory == nullptr) return 0;
  uint64_t names = 0;
  while (::readdir(directory.get()) != nullptr) ++names;
  // Without ".", ".." and the one it is read by.
  return names < 3 ? 0 : names - 3;
}

// Of the line "NAME:   NUMBER" of /proc/self/status.
uint64_t status_number(const std::string& wanted) {
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    uint64_t number = 0;
    if (name == wanted && status >> number) return number;
    status.clear();
    std::getline(status, name);
  }
  return 0;
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  rusage spent = {};
  if (::getrusage(RUSAGE_SELF, &spent) == 0) {
    usage.cpu_seconds = seconds_of(spent.ru_utime) + seconds_of(spent.ru_stime);
  }
  std::ifstream pages("/proc/self/statm");
  pages >> usage.virtual_bytes >> usage.resident_bytes;
  const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  usage.virtual_bytes *= page_bytes;
  usage.resident_bytes *= page_bytes;
  usage.threads = status_number("Threads:");
  usage.descriptors = count_descriptors();
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.descriptors_max = limit.rlim_cur;
  return usage;
}

}  // namespace nacre::os
