#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace sluis::fuzz {

// Ends the program, so that the fuzzer or the test notices, unless `holds`.
void Require(bool holds, const char* what);
// Returns false; ends the program unless `status` is an error that somebody can act on: with a message, and no fault of
// Sluis.
bool Refused(const absl::Status& status);

// The parts of an input for a reader of several files: they are parted by lines that are `%%`. Always `count`, empty
// ones at the end if there are fewer.
[[nodiscard]] std::vector<std::string> Sections(std::string_view bytes, std::size_t count);

// A file in memory with a path that can be opened while the object lives.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

// A folder in which the files of one input after the other are put; gone when the program ends.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void Put(const std::string& name, std::string_view bytes) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sluis::fuzz
