#include "tests/integration/leak_scan.h"

#include <algorithm>
#include <filesystem>
#include <unordered_set>

#include "gtest/gtest.h"
#include "tests/integration/world.h"

namespace sluis::testing {
namespace {

constexpr std::size_t kShortest = 6;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

LeakScan::LeakScan(const std::set<std::string>& texts) {
  EXPECT_FALSE(texts.empty());
  for (const std::string& text : texts) {
    EXPECT_GE(text.size(), kShortest);
    if (by_length_.size() <= text.size()) by_length_.resize(text.size() + 1);
    by_length_[text.size()].insert(Lower(text));
  }
}

std::vector<std::string> LeakScan::Search(const std::string& path) {
  std::vector<std::string> files;
  if (std::filesystem::is_regular_file(path)) files.push_back(path);
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::vector<std::string> found;
  for (const std::string& file : files) {
    ++files_read_;
    const std::string bytes = Lower(ReadWhole(file));
    const std::string_view view = bytes;
    bool hit = false;
    for (std::size_t length = 0; length < by_length_.size() && !hit; ++length) {
      if (by_length_[length].empty()) continue;
      const std::unordered_set<std::string_view> texts(by_length_[length].begin(), by_length_[length].end());
      for (std::size_t at = 0; at + length <= view.size() && !hit; ++at) hit = texts.contains(view.substr(at, length));
    }
    if (hit) found.push_back(file);
  }
  return found;
}

}  // namespace sluis::testing
