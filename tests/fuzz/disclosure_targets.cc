#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "disclosure/cell_key/design.h"
#include "disclosure/cell_key/perturb.h"
#include "disclosure/suppress/certificate.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace sluis::fuzz {
namespace {

// 3 by 3 with totals, 16 cells, every inner cell suppressible and one of them primary.
const disclosure::CellSystem& SmallSystem() {
  static const disclosure::CellSystem system = [] {
    disclosure::CellSystem made = disclosure::MakeCellSystem(16, std::vector<std::string>{"value"});
    for (std::int32_t line = 0; line < 4; ++line) {
      made.relations.Add(4 * line, std::vector<std::int32_t>{4 * line + 1, 4 * line + 2, 4 * line + 3});
      made.relations.Add(line, std::vector<std::int32_t>{line + 4, line + 8, line + 12});
    }
    made.measures[0].value = {90, 30, 30, 30, 30, 10, 10, 10, 30, 10, 10, 10, 30, 10, 10, 10};
    made.measures[0].reason[5] = disclosure::PrimaryReason::kDeclared;
    made.measures[0].lower_level[5] = made.measures[0].upper_level[5] = 3;
    disclosure::MarkEmptyCells(made);
    disclosure::SetUpperBounds(made);
    Require(disclosure::Validate(made).ok(), "the small system is one");
    return made;
  }();
  return system;
}

bool Certificate(std::string_view bytes) {
  const auto certificate = disclosure::DecodeCertificate(std::as_bytes(std::span(bytes)));
  if (!certificate.ok()) return Refused(certificate.status());
  const std::vector<std::byte> again = disclosure::EncodeCertificate(*certificate);
  Require(std::ranges::equal(again, std::as_bytes(std::span(bytes))), "every certificate has one encoding");
  disclosure::Pattern pattern(16, 0);
  for (const std::size_t cell : {5, 6, 9, 10}) pattern[cell] = 1;
  const absl::Status holds = disclosure::CheckCertificate(SmallSystem(), pattern, *certificate);
  return holds.ok() || Refused(holds);
}

bool PerturbationTable(std::string_view bytes) {
  const auto table = disclosure::ReadTable(bytes);
  if (!table.ok()) return Refused(table.status());
  Require(disclosure::WriteTable(*table) == bytes, "a table that was read is written as it was");
  return true;
}

constexpr std::array<Target, 2> kTargets = {{{"certificate", Certificate}, {"perturbation_table", PerturbationTable}}};

}  // namespace

std::span<const Target> DisclosureTargets() { return kTargets; }

}  // namespace sluis::fuzz
