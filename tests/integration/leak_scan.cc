#include "tests/integration/leak_scan.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "gtest/gtest.h"
#include "tests/integration/world.h"

namespace sluis::testing {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::set<std::string> Lower(const std::set<std::string>& texts) {
  std::set<std::string> lower;
  for (const std::string& text : texts) lower.insert(Lower(text));
  return lower;
}

// Multiplicative hashing (Knuth): the upper 20 bits of the product.
std::size_t BitOf(std::uint64_t prefix) { return (prefix * 0x9E3779B97F4A7C15u) >> 44; }

}  // namespace

std::uint64_t ByteScan::Prefix(std::string_view bytes, std::size_t at) {
  std::uint64_t prefix = 0;
  std::memcpy(&prefix, bytes.data() + at, kShortest);
  return prefix;
}

ByteScan::ByteScan(const std::set<std::string>& patterns) : patterns_(patterns) {
  EXPECT_FALSE(patterns_.empty());
  for (const std::string& pattern : patterns_) {
    EXPECT_GE(pattern.size(), kShortest);
    if (pattern.size() < kShortest) continue;
    const std::uint64_t prefix = Prefix(pattern, 0);
    by_prefix_[prefix].push_back(pattern);
    present_.set(BitOf(prefix));
  }
}

std::set<std::string> ByteScan::Find(std::string_view bytes) const {
  std::set<std::string> found;
  for (std::size_t at = 0; at + kShortest <= bytes.size(); ++at) {
    const std::uint64_t prefix = Prefix(bytes, at);
    if (!present_.test(BitOf(prefix))) continue;
    const auto candidates = by_prefix_.find(prefix);
    if (candidates == by_prefix_.end()) continue;
    for (const std::string_view pattern : candidates->second) {
      if (bytes.substr(at).starts_with(pattern)) found.emplace(pattern);
    }
  }
  return found;
}

LeakScan::LeakScan(const std::set<std::string>& texts) : scan_(Lower(texts)) {}

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
    if (!scan_.Find(Lower(ReadWhole(file))).empty()) found.push_back(file);
  }
  return found;
}

}  // namespace sluis::testing
