#include "disclosure/server/request_document.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/document/yaml.h"
#include "common/permit/permit.h"
#include "common/status/status.h"

namespace sluis::disclosure {
namespace {

constexpr std::uint32_t kMaxAge = 150;

absl::StatusOr<common::Day> ReadDay(const std::string& text, const char* field) {
  absl::StatusOr<common::Day> day = common::ParseDay(text);
  if (!day.ok()) return absl::InvalidArgumentError(absl::StrCat(field, ": a date yyyy-mm-dd is expected"));
  return day;
}

template <typename Message>  // v1::Covering or v1::Spell
absl::StatusOr<SpellFilter> ReadSpell(const Message& message, const char* field) {
  SpellFilter filter{.start = message.start(), .end = message.end()};
  SLUIS_ASSIGN_OR_RETURN(filter.date, ReadDay(message.date(), field));
  return filter;
}

absl::StatusOr<RowSummary> ReadRows(const v1::Rows& rows, RowSummary::Kind kind) {
  RowSummary summary{.register_name = rows.register_(), .kind = kind, .field = rows.field()};
  if (rows.has_covering()) {
    SLUIS_ASSIGN_OR_RETURN(summary.covering, ReadSpell(rows.covering(), "covering.date"));
  }
  return summary;
}

absl::StatusOr<EventCode> ReadEvent(const v1::Event& event, EventCode::Pick pick) {
  EventCode code{.register_name = event.register_(),
                 .field = event.field(),
                 .date_field = event.date_field(),
                 .pick = pick,
                 .none = event.none()};
  if (event.has_until()) {
    SLUIS_ASSIGN_OR_RETURN(code.until, ReadDay(event.until(), "until"));
  }
  return code;
}

absl::StatusOr<AgeClass> ReadAgeClass(const v1::AgeClass& message) {
  AgeClass rule{.input = message.of()};
  SLUIS_ASSIGN_OR_RETURN(rule.reference_date, ReadDay(message.reference_date(), "reference_date"));
  for (const std::uint32_t bound : message.bounds()) {
    if (bound > kMaxAge) return absl::InvalidArgumentError("bounds: none may be above 150");
    rule.bounds.push_back(static_cast<int>(bound));
  }
  return rule;
}

Banding ReadBand(const v1::Band& message) {
  Banding rule{.input = message.of()};
  for (const v1::Band::Item& item : message.bands()) {
    Banding::Band& band = rule.bands.emplace_back();
    band.code = item.code();
    if (item.has_at_least()) band.at_least = item.at_least();
  }
  return rule;
}

template <typename Rule, typename Message>
Rule ReadCountries(const Message& message) {
  return {.own = message.own(),
          .mother = message.mother(),
          .father = message.father(),
          .home = message.home(),
          .unknown = message.unknown()};
}

absl::StatusOr<DerivedVariable> ReadVariable(const v1::Variable& message) {
  DerivedVariable variable{.name = message.name()};
  switch (message.rule_case()) {
    case v1::Variable::kField:
      variable.rule = FieldValue{.input = message.field()};
      break;
    case v1::Variable::kSpellCovers: {
      RowSummary rule{.register_name = message.spell_covers().register_(), .kind = RowSummary::Kind::kAny};
      SLUIS_ASSIGN_OR_RETURN(rule.covering, ReadSpell(message.spell_covers(), "spell_covers.date"));
      variable.rule = std::move(rule);
      break;
    }
    case v1::Variable::kAnyRow: {
      SLUIS_ASSIGN_OR_RETURN(variable.rule, ReadRows(message.any_row(), RowSummary::Kind::kAny));
      break;
    }
    case v1::Variable::kRowCount: {
      SLUIS_ASSIGN_OR_RETURN(variable.rule, ReadRows(message.row_count(), RowSummary::Kind::kCount));
      break;
    }
    case v1::Variable::kRowSum: {
      SLUIS_ASSIGN_OR_RETURN(variable.rule, ReadRows(message.row_sum(), RowSummary::Kind::kSum));
      break;
    }
    case v1::Variable::kLatestCode: {
      SLUIS_ASSIGN_OR_RETURN(variable.rule, ReadEvent(message.latest_code(), EventCode::Pick::kLatest));
      break;
    }
    case v1::Variable::kHighestCode: {
      SLUIS_ASSIGN_OR_RETURN(variable.rule, ReadEvent(message.highest_code(), EventCode::Pick::kHighest));
      break;
    }
    case v1::Variable::kAgeClass: {
      SLUIS_ASSIGN_OR_RETURN(variable.rule, ReadAgeClass(message.age_class()));
      break;
    }
    case v1::Variable::kBand:
      variable.rule = ReadBand(message.band());
      break;
    case v1::Variable::kMap:
      variable.rule = CodeMapping{
          .input = message.map().of(), .code_list = message.map().code_list(), .other = message.map().other()};
      break;
    case v1::Variable::kOrigin2022:
      variable.rule = ReadCountries<Origin2022>(message.origin_2022());
      break;
    case v1::Variable::kBornIn:
      variable.rule = ReadCountries<BornIn>(message.born_in());
      break;
    case v1::Variable::RULE_NOT_SET:
      return absl::InvalidArgumentError("says how the variable is made with none of field, spell_covers, any_row, ...");
  }
  return variable;
}

TableDimension ReadDimension(const v1::Dimension& message) {
  return {.dimension = message.dimension(),
          .variable = message.variable().empty() ? message.dimension() : message.variable(),
          .hierarchy = message.hierarchy()};
}

absl::StatusOr<TableSpec> ReadTable(const v1::Table& message) {
  TableSpec table{.name = message.name()};
  for (const v1::Population& term : message.population()) {
    table.population.push_back({.dimension = term.dimension(),
                                .variable = term.variable().empty() ? term.dimension() : term.variable(),
                                .codes = {term.codes().begin(), term.codes().end()},
                                .hierarchy = term.hierarchy()});
  }
  for (const v1::Dimension& dimension : message.dimensions()) table.dimensions.push_back(ReadDimension(dimension));
  for (int i = 0; i < message.measures_size(); ++i) {
    const v1::Measure& measure = message.measures(i);
    TableMeasure& own = table.measures.emplace_back();
    own.measure = measure.measure();
    own.holding = measure.holding();
    own.method = measure.method().empty() ? kSuppressionMethod : measure.method();
    if (measure.has_covering()) {
      absl::StatusOr<SpellFilter> covering = ReadSpell(measure.covering(), "covering.date");
      if (!covering.ok()) return common::Annotate(covering.status(), absl::StrCat("measures[", i, "]"));
      own.covering = *std::move(covering);
    }
  }
  return table;
}

}  // namespace

absl::StatusOr<TableRequest> ToTableRequest(const v1::TableRequest& document) {
  TableRequest request{.id = document.id(),
                       .permit_id = document.permit_id(),
                       .purpose = document.purpose(),
                       .link_set = document.link_set(),
                       .rule_set = document.rule_set(),
                       .replaces = {document.replaces().begin(), document.replaces().end()}};
  for (int i = 0; i < document.variables_size(); ++i) {
    absl::StatusOr<DerivedVariable> variable = ReadVariable(document.variables(i));
    if (!variable.ok()) {
      return common::Annotate(variable.status(),
                              absl::StrCat("variables[", i, "] (", document.variables(i).name(), ")"));
    }
    request.variables.push_back(*std::move(variable));
  }
  for (int i = 0; i < document.tables_size(); ++i) {
    absl::StatusOr<TableSpec> table = ReadTable(document.tables(i));
    if (!table.ok()) return common::Annotate(table.status(), absl::StrCat("tables[", i, "]"));
    request.tables.push_back(*std::move(table));
  }
  for (const v1::LinkageRate& rate : document.linkage_rates()) {
    LinkageRateSpec& own = request.linkage_rates.emplace_back();
    own.register_name = rate.register_();
    if (rate.has_by()) own.by = ReadDimension(rate.by());
  }
  return request;
}

absl::StatusOr<TableRequest> ParseTableRequest(std::string_view yaml) {
  v1::TableRequest document;
  SLUIS_RETURN_IF_ERROR(common::ParseYaml(yaml, document));
  return ToTableRequest(document);
}

}  // namespace sluis::disclosure
