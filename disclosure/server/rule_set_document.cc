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

absl::StatusOr<std::int32_t> Parameter(std::uint32_t value, const char* field) {
  if (value > kMaxParameter) return absl::InvalidArgumentError(absl::StrCat(field, ": at most 1000000 is expected"));
  return static_cast<std::int32_t>(value);
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
    const v1::MinimumFrequency& rule = document.minimum_frequency();
    MinimumFrequencyRule& own = rules.minimum_frequency.emplace();
    SLUIS_ASSIGN_OR_RETURN(own.threshold, Parameter(rule.threshold(), "minimum_frequency.threshold"));
    SLUIS_ASSIGN_OR_RETURN(own.count_range, Parameter(rule.count_range(), "minimum_frequency.count_range"));
    SLUIS_ASSIGN_OR_RETURN(own.amount_range_percent,
                           Parameter(rule.amount_range_percent(), "minimum_frequency.amount_range_percent"));
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
  SLUIS_RETURN_IF_ERROR(ValidateRules(rules, kMaxTop));
  return result;
}

absl::StatusOr<NamedRuleSet> ParseRuleSet(std::string_view yaml) {
  v1::RuleSet document;
  SLUIS_RETURN_IF_ERROR(common::ParseYaml(yaml, document));
  return ToRuleSet(document);
}

}  // namespace sluis::disclosure
