#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "common/bytes/secret.h"
#include "common/entry/entry.h"
#include "common/status/matchers.h"
#include "common/tlog/note.h"
#include "common/tlog/verifier.h"
#include "gtest/gtest.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"
#include "tests/integration/world.h"
#include "tests/long_tests.h"

// kill -9 of a service at random moments while somebody uses it. Afterwards the same command is given again, and the
// outcome must be as if nothing had happened.

namespace sluis::testing {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::uint64_t kSeed = 20261001;
constexpr int kAttempts = 5;
// Rounds go on beyond what is asked for until a kill has hindered a command, up to this bound.
constexpr int kMostRounds = 20;
constexpr std::chrono::seconds kCallTimeout(20);

class Fault : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.MakeCountry();
    std::filesystem::create_directory(world_ / "receipts");
  }

  // Runs a command, kills `service` at a random moment within `span` and starts it again; then gives the command again
  // until it succeeds. Returns the successful outcome. Counts in `undisturbed_` the commands that the kill did not
  // hinder.
  Outcome RunThroughKill(const std::vector<std::string>& arguments, const std::string& service, milliseconds span) {
    const auto command = world_.StartSluis(arguments);
    std::this_thread::sleep_for(milliseconds(std::uniform_int_distribution<std::int64_t>(0, span.count())(random_)));
    world_.Kill(service);
    world_.Start(service);
    Outcome outcome = command->Wait();
    ++(outcome.exit_code == 0 ? undisturbed_ : hindered_);
    for (int attempt = 0; outcome.exit_code != 0 && attempt < kAttempts; ++attempt) {
      EXPECT_NE(outcome.exit_code, 1) << "a fault of Sluis: " << outcome.err;
      EXPECT_NE(outcome.exit_code, 6) << "something does not verify: " << outcome.err;
      EXPECT_NE(outcome.exit_code, 7) << "the quota is used up: " << outcome.err;
      outcome = world_.Sluis(arguments);
    }
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome;
  }

  // The entries of a type in a service's log, which must verify.
  std::vector<std::string> Entries(const std::string& service, const std::string& type) {
    common::LogVerification verification{*common::ParseVerifierKey(world_.LogKey(service)), {}, {}};
    std::vector<std::string> entries;
    verification.visit = [&](std::uint64_t, std::string_view bytes) -> absl::Status {
      const auto entry = common::ParseEntry(bytes);
      if (!entry.ok()) return entry.status();
      if (entry->type == type) entries.emplace_back(bytes);
      return absl::OkStatus();
    };
    SLUIS_EXPECT_OK(common::VerifyLogDirectory(world_ / ("services/" + service + "/log"), verification));
    return entries;
  }

  // Whether a test that repeats a kill goes on to a round, counted from 0. A kill that comes too early or too late
  // hinders nothing and tries nothing, so at least one must have hindered its command.
  bool GoesOn(int round, int rounds) const { return round < rounds || (hindered_ == 0 && round < kMostRounds); }

  void TearDown() override {
    RecordProperty("commands_not_hindered", undisturbed_);
    if (!HasFailure() && !IsSkipped()) {
      EXPECT_GT(hindered_, 0) << "no kill came in time";
    }
  }

  // How long a command takes when nobody interferes, so that kills fall within.
  milliseconds TimeOf(const std::vector<std::string>& arguments) {
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = world_.Sluis(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  }

  World world_;
  std::mt19937_64 random_{kSeed};
  int undisturbed_ = 0, hindered_ = 0;
};

// What the linker answers to a commit of a delivery that its receipt describes.
std::string EntryOfCommitAgain(const World& world, const common::Entry& entry, std::uint64_t records) {
  linker::v1::CommitUploadRequest request;
  request.set_permit_id(World::kPermitId);
  request.set_register_(entry.Text("register"));
  request.set_delivery_id(entry.Text("delivery"));
  request.set_records(records);
  request.set_sha256(*common::HexDecode(entry.Text("delivery_sha256")));
  linker::v1::CommitUploadResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  const grpc::Status status =
      linker::v1::Linker::NewStub(world.Channel("employment", "linker"))->CommitUpload(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.receipt().entry();
}

TEST_F(Fault, DeliveriesSurviveTheDeathOfTheLinker) {
  const std::string jobs = ReadWhole(world_ / "country/jobs.csv");
  const auto key = common::ParseVerifierKey(world_.LogKey("linker"));
  SLUIS_ASSERT_OK(key);
  const auto submit = [&](int round, int records) {
    const std::string name = "jobs-" + std::to_string(round);
    WriteWhole(world_ / ("country/" + name + ".csv"), FirstRecords(jobs, records));
    std::vector<std::string> more;
    if (round > 0) more = {"--replaces", "jobs-" + std::to_string(round - 1)};
    return World::Submit("employment", "jobs", name, "country/" + name + ".csv", more);
  };
  ASSERT_EQ(world_.Sluis(submit(0, 606)).exit_code, 0);  // fills the cache of pseudonyms
  const milliseconds span = TimeOf(submit(1, 604));
  const int first = 2, rounds = Repetitions(4, 60);
  std::map<std::string, std::string> receipts;  // delivery -> entry
  int records = 0, round = first;
  for (; GoesOn(round - first, rounds); ++round) {
    records = 602 - round;
    const Outcome outcome = RunThroughKill(submit(round, records), "linker", span);
    if (outcome.exit_code != 0) return;
    const json receipt = json::parse(outcome.out);
    const std::string bytes = receipt["entry"];
    SLUIS_EXPECT_OK(common::VerifyTlogProof(receipt["proof"].get<std::string>(), bytes, *key));
    const auto entry = common::ParseEntry(bytes);
    SLUIS_ASSERT_OK(entry);
    receipts[entry->Text("delivery")] = bytes;
    EXPECT_EQ(EntryOfCommitAgain(world_, *entry, records), bytes);
  }
  // One entry for each delivery, and it is the one that the custodian has.
  const std::vector<std::string> entries = Entries("linker", common::entry_type::kDelivery);
  EXPECT_EQ(entries.size(), static_cast<std::size_t>(round));
  std::map<std::string, std::string> logged;
  for (const std::string& bytes : entries) {
    EXPECT_TRUE(logged.emplace(common::ParseEntry(bytes)->Text("delivery"), bytes).second) << "two for one delivery";
  }
  for (const auto& [delivery, bytes] : receipts) EXPECT_EQ(logged[delivery], bytes) << delivery;

  // The linker holds the last delivery, all of it.
  ASSERT_EQ(world_.Sluis(World::Submit("population", "persons", "persons-1", "country/persons.csv")).exit_code, 0);
  ASSERT_EQ(world_.SluisAs("office", "link", {}).exit_code, 0);
  linker::v1::GetLinkSetRequest request;
  request.set_permit_id(World::kPermitId);
  linker::v1::GetLinkSetResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  const grpc::Status status =
      linker::v1::Linker::NewStub(world_.Channel("gate", "linker"))->GetLinkSet(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::map<std::string, std::uint64_t> linked;
  for (const auto& source : response.sources()) linked[source.register_()] = source.record_count();
  EXPECT_EQ(linked, (std::map<std::string, std::uint64_t>{{"persons", 600}, {"jobs", records}}));
}

TEST_F(Fault, QuotasAreNotOverspentWhenTheKeyHolderDies) {
  const std::string jobs = ReadWhole(world_ / "country/jobs.csv");
  milliseconds span(700);
  for (int round = 0; GoesOn(round, Repetitions(2, 20)); ++round) {
    // Each delivery has some identifiers that none before it had.
    const std::string name = "jobs-" + std::to_string(round);
    WriteWhole(world_ / ("country/" + name + ".csv"), FirstRecords(jobs, 200 + 20 * round));
    std::vector<std::string> more;
    if (round > 0) more = {"--replaces", "jobs-" + std::to_string(round - 1)};
    auto submit = World::Submit("employment", "jobs", name, "country/" + name + ".csv", more);
    auto dry = submit;
    dry.push_back("--dry-run");
    const Outcome planned = world_.Sluis(dry);
    ASSERT_EQ(planned.exit_code, 0) << planned.err;
    RunThroughKill(submit, "keys", span);
    std::map<std::string, std::uint64_t> distinct;
    const json plan = json::parse(planned.out);
    for (const json& purpose : plan["identifiers"]) distinct[purpose["purpose"]] = purpose["distinct"];
    ASSERT_EQ(distinct.size(), 2u);
    // All were evaluated, so none less; an answer that was lost is given again, so none more.
    EXPECT_EQ(world_.QuotaUsed("employment"), distinct) << name;
  }
  world_.AuditLog("keys");
}

TEST_F(Fault, ALinkageIsMadeOnceWhenTheLinkerDies) {
  world_.SubmitAll();
  if (HasFatalFailure()) return;
  const int rounds = Repetitions(2, 20);
  for (int round = 0; GoesOn(round, rounds); ++round) {
    const auto link = World::As("office", "link", {"--request-id", "link-" + std::to_string(round)});
    const Outcome outcome = RunThroughKill(link, "linker", milliseconds(300));
    if (outcome.exit_code != 0) return;
    const Outcome again = world_.Sluis(link);
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(json::parse(outcome.out), json::parse(again.out));
    const std::vector<std::string> entries = Entries("linker", common::entry_type::kLinkSet);
    // Every request is about the same deliveries, so there is one link set, and nothing new to be learnt of it.
    ASSERT_EQ(entries.size(), 1u);
    EXPECT_EQ(common::ParseEntry(entries.back())->Text("link_set"), json::parse(outcome.out)["link_set"]);
  }
  EXPECT_EQ(world_.AuditLog("linker").by_type["delivery"], 5u);
}

// A release over and over: each round begins with the gate as it was before the release.
class ReleaseFault : public Fault {
 protected:
  void SetUp() override {
    Fault::SetUp();
    world_.SubmitAll();
    if (HasFatalFailure()) return;
    ASSERT_EQ(world_.SluisAs("office", "link", {}).exit_code, 0);
    WriteWhole(world_ / "request.yaml", SmallRequest("work"));
    world_.Stop("gate");
    std::filesystem::copy(gate_, fresh_, std::filesystem::copy_options::recursive);
  }

  void StartFreshGate() {
    std::filesystem::remove_all(gate_);
    std::filesystem::copy(fresh_, gate_, std::filesystem::copy_options::recursive);
    world_.Start("gate");
  }

  static std::vector<std::string> Table(const std::string& out) {
    return World::As("office", "table", {"--request", "request.yaml", "--out", out});
  }

  // The release stands, once, and is the same when asked for again.
  void ExpectWhole(const std::string& release) {
    const std::string again = release + "-again";
    ASSERT_EQ(world_.Sluis(Table(again)).exit_code, 0);
    for (const std::string name : {"entry.json", "release.json", "request.yaml", "tables/work.csv"}) {
      EXPECT_EQ(ReadWhole(world_ / (release + "/" + name)), ReadWhole(world_ / (again + "/" + name))) << name;
    }
    EXPECT_EQ(Entries("gate", common::entry_type::kRelease),
              std::vector<std::string>{ReadWhole(world_ / (release + "/entry.json"))});
    EXPECT_EQ(world_.AuditLog("gate").by_type["refusal"], 0u);
    const Outcome verdict =
        world_.Sluis({"audit", "verify", "--release", release, "--permit", "permit", "--log", "services/gate/log"});
    EXPECT_EQ(verdict.exit_code, 0) << verdict.out << verdict.err;
  }

  const std::string gate_ = world_ / "services/gate", fresh_ = world_ / "gate-before";
};

TEST_F(ReleaseFault, IsThereOnceOrNotAtAllWhenTheGateDies) {
  const int rounds = Repetitions(2, 20);
  for (int round = 0; GoesOn(round, rounds) && !HasFailure(); ++round) {
    StartFreshGate();
    const std::string release = "release-" + std::to_string(round);
    if (RunThroughKill(Table(release), "gate", milliseconds(500)).exit_code != 0) return;
    ExpectWhole(release);
    world_.Stop("gate");
  }
}

// The linker is stopped in its tracks first, so that the gate is surely waiting for its answer when it dies.
TEST_F(ReleaseFault, IsThereOnceOrAdvisedToBeRepeatedWhenTheLinkerDies) {
  const int rounds = Repetitions(2, 20);
  for (int round = 0; GoesOn(round, rounds) && !HasFailure(); ++round) {
    StartFreshGate();
    const std::string release = "release-" + std::to_string(round);
    const auto command = world_.StartSluis(Table(release));
    const milliseconds before(round == 0 ? 0 : std::uniform_int_distribution<int>(0, 400)(random_));
    std::this_thread::sleep_for(before);
    const pid_t linker = std::stoi(ReadWhole(world_ / "services/linker/pid"));
    ASSERT_EQ(kill(linker, SIGSTOP), 0);
    std::this_thread::sleep_for(milliseconds(500));
    world_.Kill("linker");
    const Outcome outcome = command->Wait();
    ++(outcome.exit_code == 0 ? undisturbed_ : hindered_);
    if (outcome.exit_code != 0) {
      EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
      EXPECT_EQ(json::parse(outcome.err)["reason"], "LINKER_UNREACHABLE") << outcome.err;
      EXPECT_NE(outcome.err.find("again"), std::string::npos) << outcome.err;
      EXPECT_FALSE(std::filesystem::exists(world_ / release));
      EXPECT_EQ(world_.AuditLog("gate").by_type["release"], 0u);
    }
    world_.Start("linker");
    // The gate tries a lost connection again after a second or so.
    Outcome repeated = world_.Sluis(Table(release));
    for (int attempt = 0; repeated.exit_code == 5 && attempt < kAttempts; ++attempt) {
      std::this_thread::sleep_for(milliseconds(500));
      repeated = world_.Sluis(Table(release));
    }
    ASSERT_EQ(repeated.exit_code, 0) << repeated.err;
    ExpectWhole(release);
    world_.Stop("gate");
  }
}

}  // namespace
}  // namespace sluis::testing
