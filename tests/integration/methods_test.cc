#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/entry/entry.h"
#include "gtest/gtest.h"
#include "tests/integration/world.h"

// Variables that are rounded instead of suppressed, from a permit whose rule set allows it to an auditor's verdict.

namespace sluis::testing {
namespace {

constexpr char kRules[] = "rules/nl-strict-2026.yaml";
constexpr char kMethods[] = R"(methods:
  rr3: {random_rounding: {ranges: [{from: 0, base: 3}]}}
  multiples-of-5: {controlled_rounding: {base: 5, max_steps: 2}}
)";

// Adds methods to the permit's rule set, has the permit approved anew, and starts the services under it.
void AllowMethods(World& world) {
  for (const std::string service : {"gate", "linker", "keys"}) world.Stop(service);
  const std::string rules = world / ("permit/" + std::string(kRules));
  const std::string before = ReadWhole(rules);
  WriteWhole(rules, before + kMethods);
  std::string permit = ReadWhole(world / "permit/permit.yaml");
  const std::string old_hash = common::HexOf(common::Sha256(before));
  ASSERT_NE(permit.find(old_hash), std::string::npos);
  permit.replace(permit.find(old_hash), old_hash.size(), common::HexOf(common::Sha256(before + kMethods)));
  WriteWhole(world / "permit/permit.yaml", permit);
  for (const std::string officer : {"anna", "bram"}) {
    std::filesystem::remove(world / ("permit/permit.yaml." + officer + ".sig"));
    const Outcome approved =
        world.Sluis({"permit", "approve", "permit", "--name", officer, "--key", "approvers/" + officer + ".key"});
    ASSERT_EQ(approved.exit_code, 0) << approved.err;
  }
  for (const std::string service : {"keys", "linker", "gate"}) world.Start(service);
}

// Everybody by sex and age class, and the wages of a month.
std::string Request(const std::string& id, const std::string& method, const std::string& second_dimension) {
  std::string request = SmallRequest(id);
  request.replace(request.find("    population:"), request.find("    dimensions:") - request.find("    population:"),
                  "");
  request.replace(request.find("{measure: persons}"), 18, "{measure: persons, method: " + method + "}");
  const std::string age = "- {dimension: age, variable: age}";
  const std::string field = "- {name: age, field: persons.age_class}";
  if (second_dimension != "age") {
    request.replace(request.find(age), age.size(),
                    "- {dimension: " + second_dimension + ", variable: " + second_dimension + "}");
    request.replace(request.find(field), field.size(), "- {name: region, field: persons.region}");
  }
  return request;
}

// Value and method of each row of a tidy CSV by its codes; nothing where it is withheld.
struct Row {
  std::optional<long> value;
  std::string method;
};
std::map<std::string, Row> ReadRows(const std::string& csv) {
  std::map<std::string, Row> rows;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  EXPECT_NE(line.find(",value,flag,method"), std::string::npos) << line;
  while (std::getline(lines, line)) {
    std::vector<std::string> fields;
    std::size_t begin = 0;
    for (int f = 0; f < 10; ++f) {  // no quoted field before the method, which may hold commas
      const std::size_t end = line.find(',', begin);
      fields.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    Row row{.value = std::nullopt, .method = line.substr(begin)};
    if (fields[8] != "NaN") row.value = std::stol(fields[8]);
    rows[fields[0] + "/" + fields[3]] = row;
  }
  return rows;
}

TEST(Methods, ARoundedVariableIsReleasedVerifiedAndTheSameInTheNextRequest) {
  World world;
  AllowMethods(world);
  if (::testing::Test::HasFatalFailure()) return;
  world.MakeCountry();
  world.SubmitAll();
  ASSERT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);
  WriteWhole(world / "first.yaml", Request("first", "rr3", "age"));
  const Outcome first = world.SluisAs("office", "table", {"--request", "first.yaml", "--out", "first"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const auto rows = ReadRows(ReadWhole(world / "first/tables/work.csv"));
  ASSERT_GT(rows.size(), 20u);
  int shown = 0;
  for (const auto& [codes, row] : rows) {
    EXPECT_NE(row.method.find("random rounding: base 3"), std::string::npos) << row.method;
    if (row.value) {
      EXPECT_EQ(*row.value % 3, 0) << codes;
      ++shown;
    }
  }
  EXPECT_GT(shown, 15);
  // 600 persons: a multiple stays.
  EXPECT_EQ(rows.at("_T/_T").value.value_or(600), 600);

  ASSERT_EQ(world.SluisAs("auditor", "evidence", {"--release-id", "first", "--out", "first.sealed"}).exit_code, 0);
  const std::vector<std::string> verify = {"--json",
                                           "audit",
                                           "verify",
                                           "--permit",
                                           "permit",
                                           "--release",
                                           "first",
                                           "--evidence",
                                           "first.sealed",
                                           "--key",
                                           "clients/auditor.sealing.key"};
  const Outcome verdict = world.Sluis(verify);
  EXPECT_EQ(verdict.exit_code, 0) << verdict.out;
  EXPECT_NE(verdict.out.find("\"methods\""), std::string::npos) << verdict.out;

  // The next request shows the same records by region: their totals are the same numbers. Draws hang on the records and
  // the secret alone, so that a restart changes nothing.
  world.Stop("gate");
  world.Start("gate");
  WriteWhole(world / "second.yaml", Request("second", "rr3", "region"));
  const Outcome second = world.SluisAs("office", "table", {"--request", "second.yaml", "--out", "second"});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  const auto again = ReadRows(ReadWhole(world / "second/tables/work.csv"));
  int compared = 0;
  for (const std::string sex : {"_T", "F", "M"}) {
    const auto &one = rows.at(sex + "/_T").value, &two = again.at(sex + "/NL01").value;
    if (!one || !two) continue;
    EXPECT_EQ(*one, *two) << sex;
    ++compared;
  }
  EXPECT_GT(compared, 0);

  // One variable, one method.
  WriteWhole(world / "third.yaml", Request("third", "multiples-of-5", "region"));
  const Outcome third = world.SluisAs("office", "table", {"--request", "third.yaml", "--out", "third"});
  EXPECT_EQ(third.exit_code, 3) << third.err;
  EXPECT_NE(third.err.find("OTHER_METHOD_RELEASED"), std::string::npos) << third.err;
  // A method that the rule set does not have.
  WriteWhole(world / "fourth.yaml", Request("fourth", "rr9", "region"));
  const Outcome fourth = world.SluisAs("office", "table", {"--request", "fourth.yaml", "--out", "fourth"});
  EXPECT_NE(fourth.exit_code, 0);
  EXPECT_NE(fourth.err.find("the rule set has no method rr9"), std::string::npos) << fourth.err;
}

TEST(Methods, ControlledRoundingAddsUpInWhatIsReleased) {
  World world;
  AllowMethods(world);
  if (::testing::Test::HasFatalFailure()) return;
  world.MakeCountry();
  world.SubmitAll();
  ASSERT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);
  WriteWhole(world / "request.yaml", Request("rounded", "multiples-of-5", "region"));
  const Outcome released = world.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
  ASSERT_EQ(released.exit_code, 0) << released.err;
  const auto rows = ReadRows(ReadWhole(world / "release/tables/work.csv"));
  for (const auto& [codes, row] : rows) {
    ASSERT_TRUE(row.value.has_value()) << codes;
    EXPECT_EQ(*row.value % 5, 0) << codes;
  }
  const std::string all = "_T", women = "F", men = "M";
  for (const auto& [codes, row] : rows) {
    const std::string region = codes.substr(codes.find('/'));
    if (codes.substr(0, codes.find('/')) != all) continue;
    EXPECT_EQ(*row.value, *rows.at(women + region).value + *rows.at(men + region).value) << codes;
  }
  const Outcome verdict = world.Sluis({"audit", "verify", "--permit", "permit", "--release", "release"});
  EXPECT_EQ(verdict.exit_code, 0) << verdict.out;
  const nlohmann::json manifest = nlohmann::json::parse(ReadWhole(world / "release/release.json"));
  EXPECT_EQ(manifest["tables"][0]["methods"]["persons"], "multiples-of-5");
}

}  // namespace
}  // namespace sluis::testing
