#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "disclosure/suppress/certificate.h"

namespace sluis::disclosure {
namespace {

constexpr char kMagic[4] = {'S', 'L', 'D', 'C'};  // Sluis disclosure certificate
constexpr uint64_t kVersion = 1;

uint64_t ZigZag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
int64_t UnZigZag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

class Writer {
 public:
  void PutByte(uint8_t b) { bytes_.push_back(std::byte{b}); }
  void PutVarint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) PutByte(static_cast<uint8_t>(v | 0x80));
    PutByte(static_cast<uint8_t>(v));
  }
  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t remaining() const { return bytes_.size() - at_; }

  absl::StatusOr<uint8_t> GetByte() {
    if (remaining() == 0) return Error("is truncated");
    return static_cast<uint8_t>(bytes_[at_++]);
  }
  absl::StatusOr<uint64_t> GetVarint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      SLUIS_ASSIGN_OR_RETURN(const uint8_t b, GetByte());
      if (shift == 63 && b > 1) return Error("has a number above 64 bits");
      v |= uint64_t{b & 0x7fu} << shift;
      if (b < 0x80) {
        if (b == 0 && shift > 0) return Error("has a number that is longer than need be");
        return v;
      }
    }
    return Error("has a number above 64 bits");
  }
  absl::StatusOr<int32_t> GetIndex() {
    SLUIS_ASSIGN_OR_RETURN(const uint64_t v, GetVarint());
    if (v > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) return Error("has an index above 2^31 - 1");
    return static_cast<int32_t>(v);
  }
  // A number of things that take at least `bytes_each` each: more than can follow is refused before anything is
  // reserved.
  absl::StatusOr<size_t> GetCount(size_t bytes_each) {
    SLUIS_ASSIGN_OR_RETURN(const uint64_t v, GetVarint());
    if (v > remaining() / bytes_each) return Error("is truncated: it announces more than follows");
    return static_cast<size_t>(v);
  }
  absl::Status Error(const char* what) const {
    return absl::InvalidArgumentError(absl::StrCat("certificate: byte ", at_, ": ", what));
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

absl::StatusOr<Deviation> GetDeviation(Reader& reader) {
  Deviation deviation;
  SLUIS_ASSIGN_OR_RETURN(deviation.measure, reader.GetIndex());
  SLUIS_ASSIGN_OR_RETURN(const uint64_t denominator, reader.GetVarint());
  if (denominator > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return reader.Error("has a denominator above 2^63 - 1");
  }
  deviation.denominator = static_cast<int64_t>(denominator);
  SLUIS_ASSIGN_OR_RETURN(const size_t entries, reader.GetCount(2));
  deviation.cell.reserve(entries);
  deviation.numerator.reserve(entries);
  int64_t cell = -1;
  for (size_t k = 0; k < entries; ++k) {
    SLUIS_ASSIGN_OR_RETURN(const int32_t step, reader.GetIndex());
    cell += int64_t{step} + 1;
    if (cell > std::numeric_limits<int32_t>::max()) return reader.Error("has a cell above 2^31 - 1");
    SLUIS_ASSIGN_OR_RETURN(const uint64_t numerator, reader.GetVarint());
    deviation.cell.push_back(static_cast<int32_t>(cell));
    deviation.numerator.push_back(UnZigZag(numerator));
  }
  return deviation;
}

}  // namespace

std::vector<std::byte> EncodeCertificate(const Certificate& certificate) {
  Writer writer;
  for (const char c : kMagic) writer.PutByte(static_cast<uint8_t>(c));
  writer.PutVarint(kVersion);
  writer.PutVarint(certificate.deviations.size());
  for (const Deviation& deviation : certificate.deviations) {
    writer.PutVarint(static_cast<uint64_t>(deviation.measure));
    writer.PutVarint(static_cast<uint64_t>(deviation.denominator));
    writer.PutVarint(deviation.cell.size());
    int64_t previous = -1;
    for (size_t k = 0; k < deviation.cell.size(); ++k) {
      writer.PutVarint(static_cast<uint64_t>(deviation.cell[k] - previous - 1));
      writer.PutVarint(ZigZag(deviation.numerator[k]));
      previous = deviation.cell[k];
    }
  }
  writer.PutVarint(certificate.claims.size());
  for (const Claim& claim : certificate.claims) {
    writer.PutVarint(static_cast<uint64_t>(claim.measure));
    writer.PutVarint(static_cast<uint64_t>(claim.cell));
    writer.PutByte(static_cast<uint8_t>(claim.direction));
    writer.PutVarint(static_cast<uint64_t>(claim.deviation));
  }
  return writer.Take();
}

absl::StatusOr<Certificate> DecodeCertificate(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  for (const char c : kMagic) {
    SLUIS_ASSIGN_OR_RETURN(const uint8_t b, reader.GetByte());
    if (b != static_cast<uint8_t>(c)) return reader.Error("is not a certificate");
  }
  SLUIS_ASSIGN_OR_RETURN(const uint64_t version, reader.GetVarint());
  if (version != kVersion) return reader.Error("is of a version that this program does not read");
  Certificate certificate;
  SLUIS_ASSIGN_OR_RETURN(const size_t deviations, reader.GetCount(3));
  for (size_t d = 0; d < deviations; ++d) {
    SLUIS_ASSIGN_OR_RETURN(Deviation deviation, GetDeviation(reader));
    certificate.deviations.push_back(std::move(deviation));
  }
  SLUIS_ASSIGN_OR_RETURN(const size_t claims, reader.GetCount(4));
  certificate.claims.reserve(claims);
  for (size_t c = 0; c < claims; ++c) {
    Claim claim;
    SLUIS_ASSIGN_OR_RETURN(claim.measure, reader.GetIndex());
    SLUIS_ASSIGN_OR_RETURN(claim.cell, reader.GetIndex());
    SLUIS_ASSIGN_OR_RETURN(const uint8_t direction, reader.GetByte());
    if (direction > 1) return reader.Error("has a direction other than 0 or 1");
    claim.direction = static_cast<Direction>(direction);
    SLUIS_ASSIGN_OR_RETURN(claim.deviation, reader.GetIndex());
    certificate.claims.push_back(claim);
  }
  if (reader.remaining() != 0) return reader.Error("has bytes after its end");
  return certificate;
}

}  // namespace sluis::disclosure
