#include "tests/fuzz/input.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sluis::fuzz {
namespace {

constexpr std::string_view kBetween = "%%\n";

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "this must hold: %s\n", what);
  std::abort();
}

bool Refused(const absl::Status& status) {
  if (!status.ok() && !status.message().empty() && !absl::IsInternal(status) && !absl::IsUnknown(status)) return false;
  std::fprintf(stderr, "no clear error: %s\n", status.ToString().c_str());
  std::abort();
}

std::vector<std::string> Sections(std::string_view bytes, std::size_t count) {
  std::vector<std::string> sections;
  while (sections.size() + 1 < count) {
    std::size_t at = bytes.starts_with(kBetween) ? 0 : bytes.find("\n%%\n");
    if (at == std::string_view::npos) break;
    if (!bytes.starts_with(kBetween)) ++at;
    sections.emplace_back(bytes.substr(0, at));
    bytes.remove_prefix(at + kBetween.size());
  }
  sections.emplace_back(bytes);
  sections.resize(count);
  return sections;
}

MemoryFile::MemoryFile(std::string_view bytes) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
  Require(descriptor_ >= 0 && WriteAll(descriptor_, bytes), "a file in memory can be made");
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

MemoryFile::~MemoryFile() { close(descriptor_); }

Folder::Folder() {
  std::error_code error;
  const bool in_memory = std::filesystem::is_directory("/dev/shm", error);
  path_ = (in_memory ? "/dev/shm/sluis_fuzz_" : "/tmp/sluis_fuzz_") + std::to_string(getpid());
  Require(std::filesystem::create_directories(path_, error), "a new folder can be made");
}

Folder::~Folder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

void Folder::Put(const std::string& name, std::string_view bytes) const {
  std::ofstream file(path_ + "/" + name, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  Require(file.good(), "a file can be written");
}

}  // namespace sluis::fuzz
