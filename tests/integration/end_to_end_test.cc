#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tuple>

#include "gtest/gtest.h"
#include "tests/integration/leak_scan.h"
#include "tests/integration/world.h"

// The whole job by the commands of the parties, and what they must refuse.

namespace sluis::testing {
namespace {

using nlohmann::json;

std::vector<std::string> Lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The first `count` lines, the header among them.
std::string Head(const std::string& text, std::size_t count) {
  const std::vector<std::string> lines = Lines(text);
  std::string head;
  for (std::size_t i = 0; i < std::min(count, lines.size()); ++i) head += lines[i] + "\n";
  return head;
}

// The national numbers, postcodes, and surnames and streets of six letters and more of persons.csv.
std::set<std::string> Identifiers(const std::string& persons) {
  const std::vector<std::string> lines = Lines(persons);
  std::set<std::string> texts;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::istringstream in(lines[i]);
    std::vector<std::string> fields;
    for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
    for (const std::size_t column : {0, 2, 5, 7}) {  // bsn, surname, street, postcode
      if (fields.at(column).size() >= 6) texts.insert(fields[column]);
    }
  }
  return texts;
}

std::map<std::string, std::string> FilesBelow(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(directory)] = ReadWhole(entry.path());
    }
  }
  return files;
}

std::string ReasonOf(const Outcome& outcome) {
  const json error = json::parse(outcome.err, nullptr, false);
  return error.is_object() ? error.value("reason", "") : "";
}

// The state of all services as far as others can tell: log sizes and quotas.
std::string Seen(World& world) {
  json seen;
  for (const std::string service : {"keys", "linker", "gate"}) seen[service] = world.AuditLog(service).entries;
  for (const std::string custodian : {"population", "employment", "benefits", "education"}) {
    seen[custodian] = world.QuotaUsed(custodian);
  }
  return seen.dump();
}

#define EXPECT_EXIT_CODE(outcome, code) EXPECT_EQ((outcome).exit_code, code) << (outcome).out << (outcome).err

TEST(EndToEnd, FromExtractsToAVerifiedRelease) {
  World world;
  world.MakeCountry();
  const std::string before = Seen(world);

  // Dry runs send nothing.
  EXPECT_EXIT_CODE(world.Sluis(World::Submit("employment", "jobs", "jobs-1", "country/jobs.csv", {"--dry-run"})), 0);
  EXPECT_EQ(Seen(world), before);

  world.SubmitAll();
  if (HasFatalFailure()) return;
  const std::string submitted = Seen(world);
  EXPECT_NE(submitted, before);
  EXPECT_EQ(world.AuditLog("linker").by_type["delivery"], 5u);

  // The same again gives the same receipt; the same file under another name, or by another custodian, is refused.
  EXPECT_EXIT_CODE(
      world.Sluis(World::Submit("employment", "jobs", "jobs-1", "country/jobs.csv", {"--receipt", "again.receipt"})),
      0);
  EXPECT_EQ(ReadWhole(world / "again.receipt"), ReadWhole(world / "jobs-1.receipt"));
  const Outcome duplicate = world.Sluis(World::Submit("employment", "jobs", "jobs-2", "country/jobs.csv"));
  EXPECT_EXIT_CODE(duplicate, 3);
  EXPECT_EQ(ReasonOf(duplicate), "DUPLICATE_DELIVERY");
  EXPECT_EQ(Seen(world), submitted);

  EXPECT_EXIT_CODE(world.SluisAs("education", "link", {}), 3);
  const Outcome linked = world.SluisAs("office", "link", {});
  ASSERT_EQ(linked.exit_code, 0) << linked.err;
  const json report = json::parse(linked.out);
  for (const json& one : report["registers"]) {
    // benefits and civic have fewer than the 100 records that the permit asks for a report.
    EXPECT_EQ(one["withheld"], one["register"] == "benefits" || one["register"] == "civic") << one;
    EXPECT_EQ(one.value("records", 0) % 10, 0) << one;
  }

  WriteWhole(world / "request.yaml", SmallRequest("work"));
  // A dry run is a question about the data: it is on record with the gate, and changes nothing else anywhere.
  json expected = json::parse(Seen(world));
  expected["gate"] = expected["gate"].get<int>() + 1;
  EXPECT_EXIT_CODE(world.SluisAs("office", "table", {"--request", "request.yaml", "--dry-run"}), 0);
  EXPECT_EQ(json::parse(Seen(world)), expected);
  EXPECT_EQ(world.AuditLog("gate").by_type["dry-run"], 1u);
  EXPECT_EQ(world.AuditLog("gate").by_type["release"], 0u);

  const Outcome released = world.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
  ASSERT_EQ(released.exit_code, 0) << released.err;
  EXPECT_EQ(world.AuditLog("gate").by_type["release"], 1u);
  EXPECT_EXIT_CODE(world.SluisAs("office", "table", {"--request", "request.yaml", "--out", "again"}), 0);
  EXPECT_EQ(FilesBelow(world / "release"), FilesBelow(world / "again"));
  EXPECT_EQ(world.AuditLog("gate").by_type["release"], 1u);

  // The same tables once more say nothing new: what is published is fixed.
  WriteWhole(world / "other.yaml", SmallRequest("work-anew"));
  const Outcome other = world.SluisAs("office", "table", {"--request", "other.yaml", "--out", "other"});
  EXPECT_EXIT_CODE(other, 0);
  EXPECT_EQ(ReadWhole(world / "other/tables/work.csv"), ReadWhole(world / "release/tables/work.csv"));
  EXPECT_EXIT_CODE(world.SluisAs("office", "table", {"--request", "other.yaml", "--dry-run"}), 0);
  WriteWhole(world / "taken.yaml", SmallRequest("work") + "# another document under the same id\n");
  const Outcome taken = world.SluisAs("office", "table", {"--request", "taken.yaml", "--out", "taken"});
  EXPECT_EXIT_CODE(taken, 3);
  EXPECT_EQ(ReasonOf(taken), "REQUEST_ID_TAKEN");
  EXPECT_FALSE(std::filesystem::exists(world / "taken"));

  const std::vector<std::string> evidence = {"--release-id", "work", "--out", "evidence.sealed"};
  EXPECT_EXIT_CODE(world.SluisAs("office", "evidence", evidence), 3);
  EXPECT_FALSE(std::filesystem::exists(world / "evidence.sealed"));
  ASSERT_EQ(world.SluisAs("auditor", "evidence", evidence).exit_code, 0);

  std::vector<std::string> verify = {"--json", "audit", "verify", "--permit", "permit", "--log", "services/gate/log"};
  for (const std::string officer : {"anna", "bram"}) {
    const json key = json::parse(ReadWhole(world / ("approvers/" + officer + ".json")));
    verify.insert(verify.end(), {"--approver", officer + "=" + key["public_key"].get<std::string>()});
  }
  const auto verdict = [&](const std::string& release, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = verify;
    arguments.insert(arguments.end(), {"--release", release});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world.Sluis(arguments);
  };
  const std::vector<std::string> as_auditor = {"--evidence", "evidence.sealed", "--key", "clients/auditor.sealing.key"};
  EXPECT_EXIT_CODE(verdict("release", {}), 0);
  EXPECT_EXIT_CODE(verdict("release", as_auditor), 0);
  // One changed byte in any file of the release is found.
  for (const auto& [name, bytes] : FilesBelow(world / "release")) {
    std::string changed = bytes;
    changed[changed.size() / 2] ^= 1;
    WriteWhole(world / ("again/" + name), changed);
    EXPECT_EXIT_CODE(verdict("again", {}), 6) << name;
    WriteWhole(world / ("again/" + name), bytes);
  }
  EXPECT_EXIT_CODE(verdict("again", {}), 0);

  // What the parties keep and say holds none of the identifiers that the extracts hold.
  for (const std::string service : {"keys", "linker", "gate"}) world.Stop(service);
  LeakScan scan(Identifiers(ReadWhole(world / "country/persons.csv")));
  EXPECT_EQ(scan.Search(world / "country/persons.csv").size(), 1u) << "the scan itself must work";
  EXPECT_EQ(scan.Search(world / "country/jobs.csv").size(), 1u) << "the scan itself must work";
  const std::uint64_t controls = scan.files_read();
  for (const std::string place : {"services", "clients", "output", "release", "evidence.sealed", "jobs-1.receipt"}) {
    EXPECT_EQ(scan.Search(world / place), std::vector<std::string>()) << place;
  }
  EXPECT_GT(scan.files_read(), controls + 60);
}

TEST(EndToEnd, RefusesBadExtractsAndWhatThePermitDoesNotName) {
  World world;
  world.MakeCountry();
  const std::string before = Seen(world);
  const std::string jobs = ReadWhole(world / "country/jobs.csv");

  // A bad value is told by row and column, and the value itself is nowhere afterwards.
  constexpr char kMarker[] = "Qwertz7Marker";
  std::vector<std::string> lines = Lines(jobs);
  lines[3].replace(lines[3].rfind(';') + 1, std::string::npos, kMarker);
  std::string bad;
  for (const std::string& line : lines) bad += line + "\n";
  WriteWhole(world / "country/bad.csv", bad);
  const Outcome refused = world.Sluis(World::Submit("employment", "jobs", "jobs-1", "country/bad.csv"));
  EXPECT_EXIT_CODE(refused, 4);
  EXPECT_NE(refused.out.find("wage"), std::string::npos) << refused.out;
  LeakScan scan({kMarker});
  EXPECT_EQ(scan.Search(world / "country").size(), 1u) << "the scan itself must work";
  for (const std::string place : {"services", "clients", "output"}) {
    EXPECT_EQ(scan.Search(world / place), std::vector<std::string>()) << place;
  }

  // A column that the schema does not declare.
  lines = Lines(jobs);
  std::string wider = lines[0] + ";religion\n";
  for (std::size_t i = 1; i < lines.size(); ++i) wider += lines[i] + ";x\n";
  WriteWhole(world / "country/wider.csv", wider);
  EXPECT_EXIT_CODE(world.Sluis(World::Submit("employment", "jobs", "jobs-1", "country/wider.csv")), 4);

  // A register of another custodian: refused by the linker, whatever the client checks.
  EXPECT_EXIT_CODE(world.Sluis(World::Submit("education", "nowhere", "x-1", "country/civic.csv")), 3);
  EXPECT_EQ(Seen(world), before);
  EXPECT_EXIT_CODE(world.Sluis(World::Submit("population", "civic", "civic-1", "country/civic.csv")), 3);
  // Also with the custodian's own signing key a stranger is none.
  WriteWhole(world / "clients/thief.yaml",
             ReadWhole(world / "clients/stranger.yaml") + "signing_key: education.signing.key\n");
  EXPECT_EXIT_CODE(world.Sluis(World::Submit("thief", "civic", "civic-1", "country/civic.csv")), 3);
  EXPECT_EQ(world.AuditLog("linker").by_type["delivery"], 0u);
  EXPECT_EXIT_CODE(world.Sluis(World::As("population", "withdraw", {"--register", "civic", "--delivery", "civic-1"})),
                   3);

  // A permit that one officer has not signed, that was changed after signing, or that has run out.
  const auto submit_under = [&](const std::string& permit) {
    return world.Sluis({"--json", "submit", "--config", "clients/education.yaml", "--permit", permit, "--register",
                        "civic", "--delivery", "civic-1", "country/civic.csv"});
  };
  const auto copy = std::filesystem::copy_options::recursive;
  std::filesystem::copy(world / "permit", world / "unsigned", copy);
  std::filesystem::remove(world / "unsigned/permit.yaml.bram.sig");
  EXPECT_EXIT_CODE(submit_under("unsigned"), 3);
  std::filesystem::copy(world / "permit", world / "expired", copy);
  std::string document = ReadWhole(world / "permit/permit.yaml");
  const std::string last_day = "not_after: \"2049-12-31\"";
  ASSERT_NE(document.find(last_day), std::string::npos);
  document.replace(document.find(last_day), last_day.size(), "not_after: \"2024-12-31\"");
  WriteWhole(world / "expired/permit.yaml", document);
  EXPECT_EXIT_CODE(submit_under("expired"), 3);
  for (const std::string officer : {"anna", "bram"}) {
    EXPECT_EXIT_CODE(
        world.Sluis({"permit", "approve", "expired", "--name", officer, "--key", "approvers/" + officer + ".key"}), 0);
  }
  const Outcome expired = submit_under("expired");
  EXPECT_EXIT_CODE(expired, 3);
  EXPECT_EQ(ReasonOf(expired), "PERMIT_EXPIRED");
  // One that is approved but is not the one that the services hold.
  document.replace(document.find("not_after: \"2024-12-31\""), last_day.size(), "not_after: \"2048-12-31\"");
  WriteWhole(world / "expired/permit.yaml", document);
  for (const std::string officer : {"anna", "bram"}) {
    EXPECT_EXIT_CODE(
        world.Sluis({"permit", "approve", "expired", "--name", officer, "--key", "approvers/" + officer + ".key"}), 0);
  }
  EXPECT_EXIT_CODE(submit_under("expired"), 3);
  EXPECT_EQ(world.AuditLog("linker").by_type["delivery"], 0u);
  EXPECT_EXIT_CODE(world.Sluis(World::Submit("education", "civic", "civic-2", "country/civic.csv")), 0);

  // A custodian without signing key, or with another custodian's: nothing leaves.
  const std::string config = ReadWhole(world / "clients/education.yaml");
  const std::string signing_key = "signing_key: education.signing.key\n";
  ASSERT_NE(config.find(signing_key), std::string::npos);
  for (const auto& [line, exit_code, reason] :
       {std::tuple{"", 2, ""}, std::tuple{"signing_key: benefits.signing.key\n", 3, "SIGNING_KEY_NOT_PERMITTED"}}) {
    std::string other = config;
    WriteWhole(world / "clients/other.yaml", other.replace(other.find(signing_key), signing_key.size(), line));
    const Outcome outcome = world.Sluis({"--json", "submit", "--config", "clients/other.yaml", "--permit", "permit",
                                         "--register", "civic", "--delivery", "civic-3", "country/civic.csv"});
    EXPECT_EXIT_CODE(outcome, exit_code);
    EXPECT_EQ(ReasonOf(outcome), reason);
    EXPECT_NE(outcome.err.find("signing"), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(world.AuditLog("linker").by_type["delivery"], 1u);

  // Requests for what the permit does not name; each refusal is in the gate's log.
  const std::uint64_t refusals = world.AuditLog("gate").by_type["refusal"];
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"field: persons.age_class", "field: persons.household"},
      {"{dimension: age, variable: age}", "{dimension: religion, variable: age}"},
      {"rule_set: rules/nl-strict-2026.yaml", "rule_set: rules/mild.yaml"},
      {"{measure: persons}", "{measure: fortunes}"}};
  for (const auto& [from, to] : changes) {
    std::string request = SmallRequest("work");
    request.replace(request.find(from), from.size(), to);
    WriteWhole(world / "request.yaml", request);
    const Outcome outcome = world.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"});
    EXPECT_TRUE(outcome.exit_code == 2 || outcome.exit_code == 3) << to << ": " << outcome.exit_code << outcome.err;
    EXPECT_NE(outcome.err, "") << to;
  }
  EXPECT_EQ(world.AuditLog("gate").by_type["refusal"], refusals + changes.size());
  EXPECT_EQ(world.AuditLog("gate").by_type["release"], 0u);
  EXPECT_FALSE(std::filesystem::exists(world / "release"));
}

TEST(EndToEnd, CorrectsAndWithdrawsDeliveriesAsAWhole) {
  World world;
  world.MakeCountry();
  world.SubmitAll();
  if (HasFatalFailure()) return;
  ASSERT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);

  // What was linked is stale once a register is corrected.
  const std::string jobs = ReadWhole(world / "country/jobs.csv");
  WriteWhole(world / "country/shorter.csv", Head(jobs, 201));  // 200 records
  const auto submit = [&](const std::string& delivery, const std::string& file, const std::string& replaces) {
    return world.Sluis(World::Submit(
        "employment", "jobs", delivery, "country/" + file,
        replaces.empty() ? std::vector<std::string>() : std::vector<std::string>{"--replaces", replaces}));
  };
  const Outcome forgotten = submit("jobs-2", "shorter.csv", "");
  EXPECT_EXIT_CODE(forgotten, 3);
  EXPECT_EQ(ReasonOf(forgotten), "DELIVERY_NOT_CURRENT");
  EXPECT_EXIT_CODE(submit("jobs-3", "shorter.csv", "jobs-1"), 0);
  WriteWhole(world / "request.yaml", SmallRequest("work"));
  const std::vector<std::string> table = {"--request", "request.yaml", "--out", "release"};
  const Outcome stale = world.SluisAs("office", "table", table);
  EXPECT_EXIT_CODE(stale, 3);
  EXPECT_EQ(ReasonOf(stale), "LINK_SET_STALE");

  const auto records = [&] {
    const Outcome linked = world.SluisAs("office", "link", {});
    EXPECT_EXIT_CODE(linked, 0);
    const json report = json::parse(linked.out, nullptr, false);
    for (const json& one : report["registers"]) {
      if (one["register"] == "jobs") return one.value("records", 0);
    }
    return 0;
  };
  EXPECT_EQ(records(), 200);

  // What was replaced is not confirmed again as if it stood, and its file may come back under a new id.
  EXPECT_EXIT_CODE(submit("jobs-1", "jobs.csv", ""), 3);
  EXPECT_EXIT_CODE(submit("jobs-4", "jobs.csv", "jobs-3"), 0);
  EXPECT_EQ(records(), 610);

  // A file without a row is taken for a mistake; a register is emptied by withdrawing its delivery.
  WriteWhole(world / "country/empty.csv", Head(jobs, 1));
  const Outcome empty = submit("jobs-5", "empty.csv", "jobs-4");
  EXPECT_EXIT_CODE(empty, 4);
  EXPECT_NE(empty.out.find("REGISTER_EMPTY"), std::string::npos) << empty.out;
  const std::vector<std::string> withdraw = {"--register", "jobs", "--delivery", "jobs-4"};
  const Outcome withdrawn = world.SluisAs("employment", "withdraw", withdraw);
  ASSERT_EQ(withdrawn.exit_code, 0) << withdrawn.err;
  const Outcome again = world.SluisAs("employment", "withdraw", withdraw);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(json::parse(withdrawn.out)["entry"], json::parse(again.out)["entry"]);
  EXPECT_EQ(world.AuditLog("linker").by_type["withdrawal"], 1u);
  EXPECT_NE(world.SluisAs("office", "table", table).exit_code, 0);

  // The withdrawn file may come back too, and its table can be released.
  EXPECT_EXIT_CODE(submit("jobs-6", "jobs.csv", ""), 0);
  EXPECT_EQ(records(), 610);
  EXPECT_EXIT_CODE(world.SluisAs("office", "table", table), 0);
}

}  // namespace
}  // namespace sluis::testing
