#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "disclosure/protect/package.h"
#include "disclosure/protect/protect.h"
#include "disclosure/table/derive.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure::testing {

inline constexpr char kSmallRules[] = "the rules of the small project";
inline constexpr char kSmallRequest[] = "the request of the small project";

inline RuleSet SmallRules() {
  return {.minimum_frequency = MinimumFrequencyRule{.threshold = 5, .count_range = 3, .amount_range_percent = 20},
          .dominance = {},
          .p_percent = PPercentRule{.p = 10},
          .prior_posterior = {}};
}

struct SmallProjectOptions {
  bool with_jobs = true;  // false: an empty register
};

// A few hundred persons of four origins, jobs with wages at employers, benefits of whom some are not found on the
// backbone. Small by construction: three women of Moroccan and two men of unknown origin. All of unknown origin are
// without work.
class SmallProject {
 public:
  explicit SmallProject(const SmallProjectOptions& options = {})
      : permit(CountryPermit()), attachments(CountryAttachments()), rules(SmallRules()) {
    attachments[permit.rule_set] = kSmallRules;
    for (const auto& [name, bytes] : attachments) permit.attachments.push_back({name, common::Sha256(bytes)});
    permit.sha256 = common::Sha256("the permit of the small project");
    for (const common::PermitRegister& reg : permit.registers) registers.emplace_back(&reg);
    request = CountryRequest();
    request.tables.push_back(request.tables[0]);
    request.tables[1].name = "by_age";
    request.tables[1].dimensions = {{"origin", "origin"}, {"age", "age"}};
    request.tables[1].measures.resize(1);
    request.linkage_rates = {{"benefits", TableDimension{"origin", "born"}}};
    Fill(options);
    plan = *PlanTables(request, permit, attachments);
    documents = {.permit_id = permit.id,
                 .permit_sha256 = permit.sha256,
                 .link_set = "links-1",
                 .software = "sluis test",
                 .request = kSmallRequest,
                 .rule_set_name = permit.rule_set,
                 .rule_set = kSmallRules,
                 .attachments = attachments};
  }
  // `registers` point into `permit`.
  SmallProject(const SmallProject&) = delete;
  SmallProject& operator=(const SmallProject&) = delete;

  ProtectInput Input() const { return {plan, registers, rules, documents}; }

  // The cells before suppression.
  RequestSystem System() const {
    const auto columns = *DeriveColumns(plan.variables, registers);
    const auto cubes = *TabulatePlan(plan, registers, columns, {.threads = 1, .top = TopNeeded(rules)});
    return *BuildSystem(plan, cubes, rules);
  }

  common::Permit permit;
  std::map<std::string, std::string> attachments;
  RuleSet rules;
  TableRequest request;
  TablePlan plan;
  ReleaseDocuments documents;
  std::vector<RegisterColumns> registers;

 private:
  void Fill(const SmallProjectOptions& options) {
    RowBytes persons, jobs, benefits;
    std::vector<std::int32_t> of_job, of_benefit;
    std::int32_t person = 0;
    const auto add = [&](int number, std::uint16_t sex, std::uint16_t own, bool works) {
      for (int i = 0; i < number; ++i, ++person) {
        const int year = 1950 + (person * 7) % 70;
        persons.Code(sex).Date(common::FromCivil({year, 1, 1})).Code(own).Code(0).Code(0).Integer(1);
        if (options.with_jobs && works && i % 3 != 0) {
          jobs.Date(0).Date(common::kMissingDate).Integer(2000 + (person * 37) % 900);
          jobs.Token(1'000'000 + static_cast<std::uint64_t>(person) % 40);
          of_job.push_back(person);
        }
        if (i % 2 == 0) {
          benefits.Code(own);
          of_benefit.push_back(i % 18 == 0 ? -1 : person);
        }
      }
    };
    add(150, 0, 0, true);
    add(140, 1, 0, true);
    add(40, 0, 1, true);
    add(45, 1, 1, true);
    add(3, 0, 2, true);
    add(30, 1, 2, true);
    add(12, 0, 3, false);
    add(2, 1, 3, false);
    (void)registers[0].AppendRows(persons.bytes(), {});
    (void)registers[1].AppendRows(jobs.bytes(), of_job);
    (void)registers[2].AppendRows(benefits.bytes(), of_benefit);
  }
};

}  // namespace sluis::disclosure::testing
