#include "linker/store/codec.h"

#include <algorithm>

namespace sluis::linker {

Encoder& Encoder::U8(std::uint8_t value) {
  out_.push_back(static_cast<char>(value));
  return *this;
}

Encoder& Encoder::U32(std::uint32_t value) {
  common::AppendBigEndian32(out_, value);
  return *this;
}

Encoder& Encoder::U64(std::uint64_t value) {
  common::AppendBigEndian64(out_, value);
  return *this;
}

Encoder& Encoder::Bytes(std::string_view value) {
  U32(static_cast<std::uint32_t>(value.size()));
  out_.append(value);
  return *this;
}

Encoder& Encoder::Hash(const common::Hash256& value) {
  out_.append(common::AsChars(value));
  return *this;
}

std::string_view Decoder::Next(std::size_t size) {
  if (size > rest_.size()) {
    damaged_ = true;
    rest_ = {};
    return {};
  }
  const std::string_view next = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return next;
}

std::uint8_t Decoder::U8() {
  const std::string_view bytes = Next(1);
  return bytes.empty() ? 0 : static_cast<std::uint8_t>(bytes[0]);
}

std::uint32_t Decoder::U32() {
  const std::string_view bytes = Next(4);
  return bytes.empty() ? 0 : common::ReadBigEndian32(bytes);
}

std::uint64_t Decoder::U64() {
  const std::string_view bytes = Next(8);
  return bytes.empty() ? 0 : common::ReadBigEndian64(bytes);
}

std::string Decoder::Bytes() { return std::string(Next(U32())); }

common::Hash256 Decoder::Hash() {
  common::Hash256 hash{};
  const std::string_view bytes = Next(hash.size());
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

std::uint32_t Decoder::Count(std::size_t least_bytes) {
  const std::uint32_t count = U32();
  if (count > rest_.size() / least_bytes) {
    damaged_ = true;
    return 0;
  }
  return count;
}

absl::Status Decoder::Finish() const {
  if (damaged_ || !rest_.empty()) {
    return absl::DataLossError("the linker's store: a record does not have its format");
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
