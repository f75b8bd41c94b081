#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/permit/permit.h"
#include "disclosure/rules/rules.h"
#include "proto/sluis/disclosure/v1/rule_set.pb.h"

namespace sluis::disclosure {

// A rule set with what its document says about it.
struct NamedRuleSet {
  std::string id, title, source;
  std::uint32_t version = 0;
  common::Day as_of = 0;
  RuleSet rules;
};

// Returns `document` as rules that are ready to be applied. Errors: INVALID_ARGUMENT with the field: a malformed id or
// date, version 0, an empty title or source, no rule, a parameter outside its range.
[[nodiscard]] absl::StatusOr<NamedRuleSet> ToRuleSet(const v1::RuleSet& document);

// Reads the YAML text of a rule set. Errors: as common::ParseYaml (an unknown field is one) and ToRuleSet.
[[nodiscard]] absl::StatusOr<NamedRuleSet> ParseRuleSet(std::string_view yaml);

}  // namespace sluis::disclosure
