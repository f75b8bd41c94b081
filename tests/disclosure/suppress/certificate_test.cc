#include "disclosure/suppress/certificate.h"

#include <functional>
#include <string>
#include <vector>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "tests/disclosure/small_tables.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::MakePrimary;
using testing::MakeSmallTable;

// A 2 x 2 table of count and wages (cells 4, 5, 7, 8 are inner); cell 4 is primary in wages, cell 8 in both.
CellSystem System() {
  CellSystem system = MakeSmallTable({2, 2}, {"count", "wages"}, [](size_t m) { return m == 0 ? 2 : 100; }).system;
  MakePrimary(system, 1, 4, 25);
  MakePrimary(system, 0, 8, 1);
  MakePrimary(system, 1, 8, 20);
  return system;
}

const Pattern kPattern = {0, 0, 0, 0, 1, 1, 0, 1, 1};

Certificate Good() {
  return {.deviations = {{.measure = 0, .denominator = 2, .cell = {4, 5, 7, 8}, .numerator = {2, -2, -2, 2}},
                         {.measure = 0, .denominator = 1, .cell = {4, 5, 7, 8}, .numerator = {-1, 1, 1, -1}},
                         {.measure = 1, .denominator = 3, .cell = {4, 5, 7, 8}, .numerator = {76, -76, -76, 76}},
                         {.measure = 1, .denominator = 1, .cell = {4, 5, 7, 8}, .numerator = {-25, 25, 25, -25}}},
          .claims = {{0, 8, Direction::kLower, 1},
                     {0, 8, Direction::kUpper, 0},
                     {1, 4, Direction::kLower, 3},
                     {1, 4, Direction::kUpper, 2},
                     {1, 8, Direction::kLower, 3},
                     {1, 8, Direction::kUpper, 2}}};
}

TEST(CheckCertificate, AcceptsAProof) { SLUIS_EXPECT_OK(CheckCertificate(System(), kPattern, Good())); }

TEST(CheckCertificate, RefusesEveryTamperedField) {
  using Tamper = std::function<void(CellSystem&, Pattern&, Certificate&)>;
  const auto malformed = absl::StatusCode::kInvalidArgument;
  const auto unproven = absl::StatusCode::kFailedPrecondition;
  const std::vector<std::tuple<absl::StatusCode, std::string, Tamper>> cases = {
      {malformed, "one entry per cell", [](auto&, auto& p, auto&) { p.pop_back(); }},
      {malformed, "cell 5 is not 0 or 1", [](auto&, auto& p, auto&) { p[5] = 2; }},
      {malformed, "not suppressible", [](auto& s, auto&, auto&) { s.suppressible[5] = 0; }},
      {unproven, "primary cell 4 is published", [](auto&, auto& p, auto&) { p[4] = 0; }},
      {unproven, "cell 5: changes a published cell", [](auto&, auto& p, auto&) { p[5] = 0; }},
      {malformed, "there is no such measure", [](auto&, auto&, auto& c) { c.deviations[0].measure = 2; }},
      {malformed, "there is no such measure", [](auto&, auto&, auto& c) { c.deviations[0].measure = -1; }},
      {malformed, "of another measure", [](auto&, auto&, auto& c) { c.deviations[0].measure = 1; }},
      {malformed, "denominator is below 1", [](auto&, auto&, auto& c) { c.deviations[0].denominator = 0; }},
      {malformed, "denominator is below 1", [](auto&, auto&, auto& c) { c.deviations[0].denominator = -2; }},
      {unproven, "does not reach", [](auto&, auto&, auto& c) { c.deviations[0].denominator = 3; }},
      {malformed, "differ in number", [](auto&, auto&, auto& c) { c.deviations[0].cell.pop_back(); }},
      {malformed, "differ in number", [](auto&, auto&, auto& c) { c.deviations[0].numerator.pop_back(); }},
      {malformed, "out of range", [](auto&, auto&, auto& c) { c.deviations[0].cell[3] = 9; }},
      {malformed, "out of range", [](auto&, auto&, auto& c) { c.deviations[0].cell[0] = -1; }},
      {malformed, "not ascending", [](auto&, auto&, auto& c) { c.deviations[0].cell[1] = 4; }},
      {malformed, "numerator is 0", [](auto&, auto&, auto& c) { c.deviations[0].numerator[1] = 0; }},
      {unproven, "does not keep relation", [](auto&, auto&, auto& c) { c.deviations[0].numerator[1] = -3; }},
      {unproven, "does not keep relation", [](auto&, auto&, auto& c) { c.deviations[2].numerator[3] += 1; }},
      {unproven, "below 0",
       [](auto&, auto&, auto& c) {
         c.deviations[1].numerator = {-3, 3, 3, -3};
       }},
      {unproven, "above the attacker's", [](auto& s, auto&, auto&) { s.measures[1].upper_bound[7] = 124; }},
      {unproven, "does not reach", [](auto& s, auto&, auto&) { s.measures[1].upper_level[4] = 26; }},
      {unproven, "does not reach", [](auto& s, auto&, auto&) { s.measures[1].lower_level[8] = 26; }},
      {unproven, "does not keep relation",
       [](auto& s, auto&, auto&) {
         const std::vector<int32_t> same = {5};
         s.relations.Add(4, same);
       }},
      {unproven, "cell 4 in measure 0, downwards", [](auto& s, auto&, auto&) { MakePrimary(s, 0, 4, 1); }},
      {malformed, "no claim uses it", [](auto&, auto&, auto& c) { c.deviations.push_back(c.deviations[0]); }},
      {malformed, "no such deviation", [](auto&, auto&, auto& c) { c.claims[0].deviation = 4; }},
      {malformed, "no such deviation", [](auto&, auto&, auto& c) { c.claims[0].deviation = -1; }},
      {unproven, "does not reach",
       [](auto&, auto&, auto& c) { std::swap(c.claims[0].deviation, c.claims[1].deviation); }},
      {unproven, "in its place", [](auto&, auto&, auto& c) { c.claims[0].measure = 1; }},
      {unproven, "in its place", [](auto&, auto&, auto& c) { c.claims[0].cell = 7; }},
      {unproven, "in its place", [](auto&, auto&, auto& c) { c.claims[1].direction = Direction::kLower; }},
      {unproven, "in its place", [](auto&, auto&, auto& c) { std::swap(c.claims[2], c.claims[3]); }},
      {unproven, "none, or not in its place, for cell 8 in measure 1, upwards",
       [](auto&, auto&, auto& c) { c.claims.pop_back(); }},
      {malformed, "claim 6: nothing is to be protected",
       [](auto&, auto&, auto& c) { c.claims.push_back(c.claims[5]); }},
  };
  for (size_t k = 0; k < cases.size(); ++k) {
    const auto& [code, fragment, tamper] = cases[k];
    CellSystem system = System();
    Pattern pattern = kPattern;
    Certificate certificate = Good();
    tamper(system, pattern, certificate);
    EXPECT_THAT(CheckCertificate(system, pattern, certificate), StatusIs(code, fragment)) << "case " << k;
  }
}

TEST(CheckCertificate, DoesNotOverflow) {
  Certificate certificate = Good();
  certificate.deviations[0].denominator = std::numeric_limits<int64_t>::max();
  certificate.deviations[0].numerator.assign(4, std::numeric_limits<int64_t>::min());
  EXPECT_THAT(CheckCertificate(System(), kPattern, certificate),
              StatusIs(absl::StatusCode::kFailedPrecondition, "deviation 0"));
}

TEST(CheckCertificate, AcceptsTheEmptyProofWhereNothingIsPrimary) {
  const CellSystem system = MakeSmallTable({2, 2}, {"value"}, [](size_t) { return 3; }).system;
  SLUIS_EXPECT_OK(CheckCertificate(system, Pattern(9, 0), {}));
}

void ExpectSame(const Certificate& a, const Certificate& b) {
  EXPECT_EQ(a.claims, b.claims);
  ASSERT_EQ(a.deviations.size(), b.deviations.size());
  for (size_t d = 0; d < a.deviations.size(); ++d) {
    EXPECT_EQ(a.deviations[d].measure, b.deviations[d].measure);
    EXPECT_EQ(a.deviations[d].denominator, b.deviations[d].denominator);
    EXPECT_EQ(a.deviations[d].cell, b.deviations[d].cell);
    EXPECT_EQ(a.deviations[d].numerator, b.deviations[d].numerator);
  }
}

TEST(CertificateEncoding, GivesBackWhatWentIn) {
  Certificate certificate = Good();
  certificate.deviations[3].denominator = std::numeric_limits<int64_t>::max();
  certificate.deviations[3].numerator[0] = std::numeric_limits<int64_t>::min();
  certificate.deviations[3].cell[3] = std::numeric_limits<int32_t>::max();
  const auto decoded = DecodeCertificate(EncodeCertificate(certificate));
  SLUIS_ASSERT_OK(decoded);
  ExpectSame(*decoded, certificate);
  const auto empty = DecodeCertificate(EncodeCertificate({}));
  SLUIS_ASSERT_OK(empty);
  ExpectSame(*empty, {});
}

TEST(CertificateEncoding, RefusesEveryTruncationAndExtension) {
  std::vector<std::byte> bytes = EncodeCertificate(Good());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THAT(DecodeCertificate(std::span(bytes).first(length)),
                StatusIs(absl::StatusCode::kInvalidArgument, "certificate: byte"));
  }
  bytes.push_back(std::byte{0});
  EXPECT_THAT(DecodeCertificate(bytes), StatusIs(absl::StatusCode::kInvalidArgument, "after its end"));
}

TEST(CertificateEncoding, EveryChangedByteIsRefusedOrFailsTheCheck) {
  const std::vector<std::byte> good = EncodeCertificate(Good());
  for (size_t at = 0; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::vector<std::byte> bytes = good;
      bytes[at] = static_cast<std::byte>(value);
      if (bytes == good) continue;
      const auto decoded = DecodeCertificate(bytes);
      if (!decoded.ok()) continue;
      // One encoding each: other bytes are another certificate.
      EXPECT_EQ(EncodeCertificate(*decoded), bytes) << at << " " << value;
      // A smaller denominator of the same numerators is a larger deviation: the only changes that can still be a proof.
      if (CheckCertificate(System(), kPattern, *decoded).ok()) {
        bool denominators_only = decoded->claims == Good().claims;
        for (size_t d = 0; d < decoded->deviations.size(); ++d) {
          denominators_only = denominators_only && decoded->deviations[d].numerator == Good().deviations[d].numerator;
        }
        EXPECT_TRUE(denominators_only) << at << " " << value;
      }
    }
  }
}

TEST(CertificateEncoding, RefusesAnnouncementsLargerThanTheInput) {
  // Magic, version 1, then 2^40 deviations.
  const unsigned char raw[] = {'S', 'L', 'D', 'C', 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20};
  EXPECT_THAT(DecodeCertificate(std::as_bytes(std::span(raw))),
              StatusIs(absl::StatusCode::kInvalidArgument, "announces more"));
  const unsigned char other_version[] = {'S', 'L', 'D', 'C', 2, 0, 0};
  EXPECT_THAT(DecodeCertificate(std::as_bytes(std::span(other_version))),
              StatusIs(absl::StatusCode::kInvalidArgument, "version"));
  const unsigned char long_number[] = {'S', 'L', 'D', 'C', 0x81, 0x00, 0, 0};
  EXPECT_THAT(DecodeCertificate(std::as_bytes(std::span(long_number))),
              StatusIs(absl::StatusCode::kInvalidArgument, "longer than need be"));
}

}  // namespace
}  // namespace sluis::disclosure
