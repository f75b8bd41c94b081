#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "common/crypto/crypto.h"
#include "common/entry/entry.h"
#include "gtest/gtest.h"
#include "tests/integration/world.h"

// What two permits release over the same people is protected together.

namespace sluis::testing {
namespace {

constexpr char kSiblingId[] = "sibling-project";

void Replace(std::string& text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  for (; at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

// Gives the services a permit of the same parties over the same registers, in the folder `permit-sibling`, whose age
// classes end at 25 instead of 24.
void AddSibling(World& world) {
  for (const std::string service : {"keys", "linker", "gate"}) world.Stop(service);
  std::filesystem::copy(world / "permit", world / "permit-sibling", std::filesystem::copy_options::recursive);
  std::string document = ReadWhole(world / "permit/permit.yaml");
  Replace(document, World::kPermitId, kSiblingId);
  Replace(document, "bounds: [0, 15, 25,", "bounds: [0, 15, 26,");
  std::string ages = ReadWhole(world / "permit/hierarchies/age.csv");
  const std::string before = common::HexOf(common::Sha256(ages));
  Replace(ages, "Y15-24", "Y15-25");
  Replace(ages, "Y25-34", "Y26-34");
  WriteWhole(world / "permit-sibling/hierarchies/age.csv", ages);
  Replace(document, before, common::HexOf(common::Sha256(ages)));
  for (const std::string purpose : {"identifiers", "match-keys", "tokens"}) {
    const Outcome made = world.Run(
        "sluis-keysd", {"create-key", "--config", "services/keys.yaml", "--project", kSiblingId, "--purpose", purpose});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    const auto key = [](const std::string& json) {
      return nlohmann::json::parse(json)["public_key"].get<std::string>();
    };
    Replace(document, key(ReadWhole(world / ("services/keys-" + purpose + ".json"))), key(made.out));
  }
  WriteWhole(world / "permit-sibling/permit.yaml", document);
  for (const std::string officer : {"anna", "bram"}) {
    std::filesystem::remove(world / ("permit-sibling/permit.yaml." + officer + ".sig"));
    const Outcome approved = world.Sluis(
        {"permit", "approve", "permit-sibling", "--name", officer, "--key", "approvers/" + officer + ".key"});
    ASSERT_EQ(approved.exit_code, 0) << approved.err;
  }
  for (const std::string service : {"keys", "linker", "gate"}) {
    std::string config = ReadWhole(world / ("services/" + service + ".yaml"));
    Replace(config, "[../permit]", "[../permit, ../permit-sibling]");
    WriteWhole(world / ("services/" + service + ".yaml"), config);
    world.Start(service);
  }
}

// As World::As, under the sibling.
std::vector<std::string> Sibling(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) argument = argument == "permit" ? "permit-sibling" : argument;
  return arguments;
}

std::string Persons(const std::string& id, const std::string& permit) {
  return "id: " + id + "\npermit_id: " + permit + R"(
purpose: Persons by sex and age class, for a test.
link_set: latest
rule_set: rules/nl-strict-2026.yaml
variables:
  - {name: sex, field: persons.sex}
  - {name: age, field: persons.age_class}
tables:
  - name: persons
    dimensions:
      - {dimension: sex, variable: sex}
      - {dimension: age, variable: age}
    measures:
      - {measure: persons}
)";
}

// The published numbers of a tidy CSV, by the codes of sex and age.
std::map<std::string, std::optional<long>> Published(const std::string& csv) {
  std::map<std::string, std::optional<long>> cells;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::vector<std::string> fields;
    std::istringstream cut(line);
    for (std::string field; std::getline(cut, field, ',');) fields.push_back(field);
    std::optional<long>& value = cells[fields.at(0) + " " + fields.at(3)];
    const std::string& number = fields.at(8);
    if (!number.empty() && number.find_first_not_of("0123456789") == std::string::npos) value = std::stol(number);
  }
  return cells;
}

TEST(Ledger, TwoPermitsOverTheSamePeopleAreProtectedTogetherAcrossKills) {
  World world;
  world.MakeCountry();
  world.SubmitAll();
  ASSERT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);
  AddSibling(world);
  if (HasFatalFailure()) return;
  const Outcome delivered =
      world.Sluis(Sibling(World::Submit("population", "persons", "persons-sibling", "country/persons.csv")));
  ASSERT_EQ(delivered.exit_code, 0) << delivered.err;
  const Outcome linked = world.Sluis(Sibling(World::As("office", "link", {})));
  ASSERT_EQ(linked.exit_code, 0) << linked.err;

  WriteWhole(world / "first.yaml", Persons("first", World::kPermitId));
  const std::vector<std::string> first = World::As("office", "table", {"--request", "first.yaml", "--out", "first"});
  const Outcome released = world.Sluis(first);
  ASSERT_EQ(released.exit_code, 0) << released.err;
  world.Kill("gate");
  world.Start("gate");
  if (HasFatalFailure()) return;

  WriteWhole(world / "second.yaml", Persons("second", kSiblingId));
  const auto second = [](const std::string& out) {
    return Sibling(World::As("office", "table", {"--request", "second.yaml", "--out", out}));
  };
  {
    // Killed at work: released or not, never half.
    const auto killed = world.StartSluis(second("killed"));
    world.Kill("gate");
    (void)killed->Wait();
    world.Start("gate");
    if (HasFatalFailure()) return;
  }
  const Outcome together = world.Sluis(second("second"));
  ASSERT_EQ(together.exit_code, 0) << together.err;
  EXPECT_EQ(world.AuditLog("gate").by_type["release"], 2u);

  auto at_24 = Published(ReadWhole(world / "first/tables/persons.csv"));
  auto at_25 = Published(ReadWhole(world / "second/tables/persons.csv"));
  ASSERT_TRUE(at_24["_T _T"].has_value());
  EXPECT_EQ(at_24["_T _T"], at_25["_T _T"]);
  int both = 0;
  for (const std::string sex : {"_T", "F", "M"}) {
    // Those of 25 years, by three ways.
    const auto difference = [&](const std::string& whole, const std::string& part) {
      const std::optional<long> a = at_25[sex + " " + whole], b = at_24[sex + " " + part];
      if (!a || !b) return;
      ++both;
      const long people = std::abs(*a - *b);
      EXPECT_TRUE(people == 0 || people >= 10) << sex << ", " << whole << " without " << part;
    };
    difference("Y15-25", "Y15-24");
    difference("Y26-34", "Y25-34");
    difference("Y35-44", "Y35-44");
    difference("Y65-74", "Y65-74");
  }
  EXPECT_GT(both, 0);

  // What is published stays, after a kill, and the log says what was looked at.
  world.Kill("gate");
  world.Start("gate");
  if (HasFatalFailure()) return;
  const Outcome again = world.Sluis(second("again"));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(ReadWhole(world / "again/tables/persons.csv"), ReadWhole(world / "second/tables/persons.csv"));
  const auto entry = common::ParseEntry(ReadWhole(world / "second/entry.json"));
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->Text("earlier"), std::string(World::kPermitId) + "/first");
  const Outcome verified = world.Sluis({"audit", "verify", "--release", "second", "--permit", "permit-sibling"});
  EXPECT_EQ(verified.exit_code, 0) << verified.err << verified.out;
}

}  // namespace
}  // namespace sluis::testing
