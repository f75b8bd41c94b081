#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluis::cli::testing {

// A breach of the layering that CONTRIBUTING.md states.
struct Breach {
  std::string file;  // from the root of the sources
  std::size_t line;  // 1 is the first; 0: the whole file
  std::string rule;  // in words

  friend bool operator==(const Breach&, const Breach&) = default;
};

// Returns the breaches in one source file. `file` is its path from the root, with forward slashes; the file under
// tests/x/y is held to the rules of x/y, except that a test may look into any component.
[[nodiscard]] std::vector<Breach> CheckFile(std::string_view file, std::string_view text);

// Returns the paths, from `root`, of all .h and .cc files in the folders that hold sources, sorted.
[[nodiscard]] std::vector<std::string> SourceFiles(const std::filesystem::path& root);

}  // namespace sluis::cli::testing
