#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/generate/registers.h"

// Reads a synthetic country back, simply and slowly, for tests.

namespace sluis::cli::testing {

// One register: columns by header name, rows without the header.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::size_t Column(const std::string& name) const;
};

// Returns the content of a file, decompressed by its first bytes.
std::string ReadContent(const std::string& path);

// Splits `content` at `delimiter` and line ends; removes a byte order mark, and quotation marks around a field.
Table ParseTable(const std::string& content, char delimiter);

struct ReadCountry {
  std::array<Table, kRegisters> registers;
  std::array<std::vector<std::int64_t>, kRegisters> truth;  // person of each row; -2 where truth.csv has no line
};
ReadCountry ReadCountryFrom(const std::string& directory);

// A new empty directory, removed with its content on destruction.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sluis::cli::testing
