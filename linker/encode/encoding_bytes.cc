#include "linker/encode/encoding_bytes.h"

#include <algorithm>
#include <cstdint>

namespace sluis::linker {
namespace {

constexpr std::size_t kWordBytes = 8;

void AppendWord(std::uint64_t word, std::string& out) {
  for (std::size_t i = 0; i < kWordBytes; ++i) out.push_back(static_cast<char>(word >> (8 * i) & 0xff));
}

std::uint64_t ReadWord(std::string_view bytes, std::size_t index) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < kWordBytes; ++i) {
    word |= std::uint64_t{static_cast<std::uint8_t>(bytes[index * kWordBytes + i])} << (8 * i);
  }
  return word;
}

bool IsFieldLevel(const EncodingPlan& plan) { return plan.profile == EncodingProfile::kFieldLevel; }

std::size_t Words(const EncodingPlan& plan) { return plan.Encodings() * (plan.EncodedBits() / 64); }

}  // namespace

std::size_t EncodingBytes(const EncodingPlan& plan) {
  return (Words(plan) + (IsFieldLevel(plan) ? 1 : 0)) * kWordBytes;
}

void AppendEncodingBytes(const EncodingPlan& plan, const Encoding& encoding, std::string& out) {
  for (const std::uint64_t word : encoding.words) AppendWord(word, out);
  if (IsFieldLevel(plan)) AppendWord(encoding.present, out);
}

absl::Status ReadEncodingBytes(const EncodingPlan& plan, std::string_view bytes, Encoding& out) {
  if (bytes.size() != EncodingBytes(plan)) {
    return absl::InvalidArgumentError("a record's encodings have " + std::to_string(bytes.size()) +
                                      " bytes, the plan's have " + std::to_string(EncodingBytes(plan)));
  }
  out.words_per_row = plan.EncodedBits() / 64;
  out.words.resize(Words(plan));
  for (std::size_t i = 0; i < out.words.size(); ++i) out.words[i] = ReadWord(bytes, i);
  const std::uint64_t all = ~std::uint64_t{0} >> (64 - plan.features.size());
  if (!IsFieldLevel(plan)) {
    out.present = std::ranges::any_of(out.words, [](std::uint64_t word) { return word != 0; }) ? all : 0;
    return absl::OkStatus();
  }
  out.present = ReadWord(bytes, out.words.size()) & all;
  for (std::size_t feature = 0; feature < plan.features.size(); ++feature) {
    const auto row = std::span(out.words).subspan(feature * out.words_per_row, out.words_per_row);
    if (!out.HasFeature(feature)) {
      std::ranges::fill(row, 0);
    } else if (std::ranges::all_of(row, [](std::uint64_t word) { return word == 0; })) {
      out.present &= ~(std::uint64_t{1} << feature);
    }
  }
  return absl::OkStatus();
}

}  // namespace sluis::linker
