#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/bytes/secret.h"

// The binary form of what the gate seals: evidence and entries of the ledger. One function that visits every field in
// order serves writing and reading, with either codec. Whatever is read has one form.

namespace sluis::disclosure {

// Whole numbers as LEB128; signed ones zigzag first.
class BinaryWriter {
 public:
  void Number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  template <typename T>
  void Field(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      Number(value.size());
      bytes_ += value;
    } else if constexpr (std::is_enum_v<T> || std::is_unsigned_v<T>) {
      Number(static_cast<std::uint64_t>(value));
    } else {
      const auto wide = static_cast<std::int64_t>(value);
      Number((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));
    }
  }
  void Field(const common::Hash256& hash) { bytes_.append(reinterpret_cast<const char*>(hash.data()), hash.size()); }
  template <typename Container, typename Each>
  void List(const Container& list, const Each& each) {
    Number(list.size());
    for (const auto& item : list) each(item);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class BinaryReader {
 public:
  explicit BinaryReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return Fail();
      const auto byte = static_cast<std::uint8_t>(bytes_[0]);
      bytes_.remove_prefix(1);
      // No bits beyond 64, and no needless last byte: a number has one form.
      if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0)) return Fail();
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return Fail();
  }
  template <typename T>
  void Field(T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      const std::uint64_t size = Number();
      if (size > bytes_.size()) {
        Fail();
        return;
      }
      value = std::string(bytes_.substr(0, size));
      bytes_.remove_prefix(size);
    } else if constexpr (std::is_enum_v<T> || std::is_unsigned_v<T>) {
      const std::uint64_t number = Number();
      value = static_cast<T>(number);
      if (static_cast<std::uint64_t>(value) != number) Fail();
    } else {
      const std::uint64_t number = Number();
      const auto wide = static_cast<std::int64_t>((number >> 1) ^ (~(number & 1) + 1));
      value = static_cast<T>(wide);
      if (static_cast<std::int64_t>(value) != wide) Fail();
    }
  }
  void Field(common::Hash256& hash) {
    if (bytes_.size() < hash.size()) {
      Fail();
      return;
    }
    std::copy_n(bytes_.begin(), hash.size(), hash.begin());
    bytes_.remove_prefix(hash.size());
  }
  template <typename Item, typename Each>
  void List(std::vector<Item>& list, const Each& each) {
    const std::uint64_t size = Number();
    // Every item takes a byte at least.
    if (size > bytes_.size()) Fail();
    list.clear();
    for (std::uint64_t i = 0; i < size && good_; ++i) each(list.emplace_back());
  }

  std::uint64_t Fail() {
    good_ = false;
    bytes_ = {};
    return 0;
  }
  bool good() const { return good_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace sluis::disclosure
