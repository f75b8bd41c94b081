#include "disclosure/server/rule_set_document.h"

#include "absl/strings/str_cat.h"
#include "common/document/yaml.h"
#include "common/status/status.h"
#include "disclosure/table/plan_variables.h"

namespace sluis::disclosure {
namespace {

// The widest range of any parameter: what is above it is refused before it is narrowed to the type of its rule.
constexpr std::uint32_t kMaxParameter = 1'000'000;
constexpr std::int32_t kMaxTop = 64;

absl::StatusOr<std::int32_t> Parameter(std::uint32_t value, const std::string& field) {
  if (value > kMaxParameter) return absl::InvalidArgumentError(absl::StrCat(field, ": at most 1000000 is expected"));
  return static_cast<std::int32_t>(value);
}

absl::StatusOr<std::int64_t> Range(std::uint64_t value, const std::string& field) {
  if (value > static_cast<std::uint64_t>(kMaxAmount)) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": at most 2^50 is expected"));
  }
  return static_cast<std::int64_t>(value);
}

absl::StatusOr<MinimumFrequencyRule> Frequency(const v1::MinimumFrequency& rule, const std::string& field) {
  MinimumFrequencyRule own;
  SLUIS_ASSIGN_OR_RETURN(own.threshold, Parameter(rule.threshold(), field + ".threshold"));
  SLUIS_ASSIGN_OR_RETURN(own.count_range, Parameter(rule.count_range(), field + ".count_range"));
  SLUIS_ASSIGN_OR_RETURN(own.amount_range_percent,
                         Parameter(rule.amount_range_percent(), field + ".amount_range_percent"));
  SLUIS_ASSIGN_OR_RETURN(own.amount_range, Range(rule.amount_range(), field + ".amount_range"));
  return own;
}

absl::StatusOr<PerturbationDesign> Design(const v1::CellKeyCounts& message) {
  PerturbationDesign own{.monotone = message.monotone()};
  SLUIS_ASSIGN_OR_RETURN(own.max_change, Parameter(message.max_change(), "max_change"));
  SLUIS_ASSIGN_OR_RETURN(own.variance_milli, Parameter(message.variance_milli(), "variance_milli"));
  SLUIS_ASSIGN_OR_RETURN(own.gap, Parameter(message.gap(), "gap"));
  SLUIS_ASSIGN_OR_RETURN(own.stay_milli, Parameter(message.stay_milli(), "stay_milli"));
  return own;
}

absl::StatusOr<CellKeyAmountMethod> AmountNoiseOf(const v1::CellKeyAmounts& message) {
  CellKeyAmountMethod own;
  own.design.monotone = message.monotone();
  SLUIS_ASSIGN_OR_RETURN(own.design.max_change, Parameter(message.max_change(), "max_change"));
  SLUIS_ASSIGN_OR_RETURN(own.design.steps, Parameter(message.steps(), "steps"));
  SLUIS_ASSIGN_OR_RETURN(own.design.variance_milli, Parameter(message.variance_milli(), "variance_milli"));
  SLUIS_ASSIGN_OR_RETURN(own.design.stay_milli, Parameter(message.stay_milli(), "stay_milli"));
  for (const std::uint32_t share : message.share_milli()) {
    SLUIS_ASSIGN_OR_RETURN(own.share_milli.emplace_back(), Parameter(share, "share_milli"));
  }
  SLUIS_ASSIGN_OR_RETURN(own.width.small_milli, Parameter(message.small_milli(), "small_milli"));
  if (message.flex_point() != 0) {
    SLUIS_ASSIGN_OR_RETURN(own.width.flex_point.emplace(), Range(message.flex_point(), "flex_point"));
    SLUIS_ASSIGN_OR_RETURN(own.width.large_milli, Parameter(message.large_milli(), "large_milli"));
    SLUIS_ASSIGN_OR_RETURN(own.width.flex_power, Parameter(message.flex_power(), "flex_power"));
  } else if (message.large_milli() != 0 || message.flex_power() != 0) {
    return absl::InvalidArgumentError("flex_point: is needed with large_milli or flex_power");
  }
  SLUIS_ASSIGN_OR_RETURN(own.sensitive_extra_milli,
                         Parameter(message.sensitive_extra_milli(), "sensitive_extra_milli"));
  return own;
}

absl::StatusOr<ProtectionMethod> ReadMethod(const v1::Method& message) {
  switch (message.kind_case()) {
    case v1::Method::kControlledRounding: {
      ControlledRoundingMethod own;
      SLUIS_ASSIGN_OR_RETURN(own.base, Range(message.controlled_rounding().base(), "base"));
      SLUIS_ASSIGN_OR_RETURN(own.max_steps, Parameter(message.controlled_rounding().max_steps(), "max_steps"));
      own.amounts = message.controlled_rounding().amounts();
      return own;
    }
    case v1::Method::kSmallCountRounding: {
      SmallCountMethod own;
      SLUIS_ASSIGN_OR_RETURN(own.base, Range(message.small_count_rounding().base(), "base"));
      return own;
    }
    case v1::Method::kRandomRounding: {
      RandomRoundingMethod own;
      for (const v1::RandomRounding::Range& range : message.random_rounding().ranges()) {
        RoundingRange& one = own.ranges.emplace_back();
        SLUIS_ASSIGN_OR_RETURN(one.from, Range(range.from(), "ranges.from"));
        SLUIS_ASSIGN_OR_RETURN(one.base, Range(range.base(), "ranges.base"));
      }
      return own;
    }
    case v1::Method::kCellKeyCounts: {
      CellKeyCountMethod own;
      SLUIS_ASSIGN_OR_RETURN(own.design, Design(message.cell_key_counts()));
      return own;
    }
    case v1::Method::kCellKeyAmounts:
      return AmountNoiseOf(message.cell_key_amounts());
    case v1::Method::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "name one of controlled_rounding, small_count_rounding, random_rounding, cell_key_counts, cell_key_amounts");
}

absl::Status ReadMethods(const v1::RuleSet& document, RuleSet& rules) {
  const std::map<std::string, v1::Method> sorted(document.methods().begin(), document.methods().end());
  for (const auto& [name, message] : sorted) {
    const std::string field = absl::StrCat("methods.", name);
    if (!IsName(name, true) || name == kSuppressionMethod) {
      return absl::InvalidArgumentError("methods: names [a-z][a-z0-9-]{0,62} other than suppression are expected");
    }
    absl::StatusOr<ProtectionMethod> method = ReadMethod(message);
    if (!method.ok()) return common::Annotate(method.status(), field);
    if (absl::Status valid = ValidateMethod(*method); !valid.ok()) return common::Annotate(valid, field);
    rules.methods.emplace(name, *std::move(method));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NamedRuleSet> ToRuleSet(const v1::RuleSet& document) {
  if (!IsName(document.id(), true)) return absl::InvalidArgumentError("id: [a-z][a-z0-9-]{0,62} is expected");
  if (document.version() == 0) return absl::InvalidArgumentError("version: 1 or more is expected");
  if (document.title().empty()) return absl::InvalidArgumentError("title: a text is expected");
  if (document.source().empty()) return absl::InvalidArgumentError("source: say where the rules are published");
  const absl::StatusOr<common::Day> as_of = common::ParseDay(document.as_of());
  if (!as_of.ok()) return absl::InvalidArgumentError("as_of: a date yyyy-mm-dd is expected");
  NamedRuleSet result{.id = document.id(),
                      .title = document.title(),
                      .source = document.source(),
                      .version = document.version(),
                      .as_of = *as_of,
                      .rules = {}};
  RuleSet& rules = result.rules;
  if (document.has_minimum_frequency()) {
    SLUIS_ASSIGN_OR_RETURN(rules.minimum_frequency, Frequency(document.minimum_frequency(), "minimum_frequency"));
  }
  if (document.has_suppressed_sum()) {
    SLUIS_ASSIGN_OR_RETURN(rules.suppressed_sum, Frequency(document.suppressed_sum(), "suppressed_sum"));
  }
  for (const v1::Dominance& rule : document.dominance()) {
    DominanceRule& own = rules.dominance.emplace_back();
    SLUIS_ASSIGN_OR_RETURN(own.n, Parameter(rule.n(), "dominance.n"));
    SLUIS_ASSIGN_OR_RETURN(own.k_percent, Parameter(rule.k_percent(), "dominance.k_percent"));
  }
  if (document.has_p_percent()) {
    SLUIS_ASSIGN_OR_RETURN(rules.p_percent.emplace().p, Parameter(document.p_percent().p(), "p_percent.p"));
  }
  if (document.has_prior_posterior()) {
    PriorPosteriorRule& own = rules.prior_posterior.emplace();
    SLUIS_ASSIGN_OR_RETURN(own.p, Parameter(document.prior_posterior().p(), "prior_posterior.p"));
    SLUIS_ASSIGN_OR_RETURN(own.q, Parameter(document.prior_posterior().q(), "prior_posterior.q"));
  }
  if (document.has_request()) {
    SLUIS_ASSIGN_OR_RETURN(rules.request.emplace().g_percent,
                           Parameter(document.request().g_percent(), "request.g_percent"));
  }
  if (document.has_zero_cells()) {
    ZeroCellRule& own = rules.zero_cells.emplace();
    SLUIS_ASSIGN_OR_RETURN(own.count_range, Parameter(document.zero_cells().count_range(), "zero_cells.count_range"));
    SLUIS_ASSIGN_OR_RETURN(own.amount_range, Range(document.zero_cells().amount_range(), "zero_cells.amount_range"));
  }
  if (document.has_group_disclosure()) {
    const v1::GroupDisclosure& rule = document.group_disclosure();
    GroupDisclosureRule& own = rules.group_disclosure.emplace();
    SLUIS_ASSIGN_OR_RETURN(own.percent, Parameter(rule.percent(), "group_disclosure.percent"));
    SLUIS_ASSIGN_OR_RETURN(own.from_total, Parameter(rule.from_total(), "group_disclosure.from_total"));
  }
  if (document.has_contributors()) {
    const v1::ContributorAttack& rule = document.contributors();
    ContributorRule& own = rules.contributors.emplace();
    if (rule.protect() != "level" && rule.protect() != "exact") {
      return absl::InvalidArgumentError("contributors.protect: level or exact is expected");
    }
    own.protection = rule.protect() == "level" ? ContributorProtection::kLevel : ContributorProtection::kExact;
    SLUIS_ASSIGN_OR_RETURN(own.coalition, Parameter(rule.coalition(), "contributors.coalition"));
    SLUIS_ASSIGN_OR_RETURN(own.share_percent, Parameter(rule.share_percent(), "contributors.share_percent"));
  }
  SLUIS_RETURN_IF_ERROR(ReadMethods(document, rules));
  if (rules.methods.empty() || HasPrimaryRule(rules) || rules.suppressed_sum) {
    SLUIS_RETURN_IF_ERROR(ValidateRules(rules, kMaxTop));
  }
  return result;
}

absl::StatusOr<NamedRuleSet> ParseRuleSet(std::string_view yaml) {
  v1::RuleSet document;
  SLUIS_RETURN_IF_ERROR(common::ParseYaml(yaml, document));
  return ToRuleSet(document);
}

}  // namespace sluis::disclosure
