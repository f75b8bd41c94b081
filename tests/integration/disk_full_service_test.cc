#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "gtest/gtest.h"
#include "tests/integration/world.h"

// The disk of a running service is full: whoever calls it is told so and loses nothing, and the same command succeeds
// once there is space.

namespace sluis::testing {
namespace {

using nlohmann::json;

constexpr int kExitLimit = 7;
// A page has 4096 bytes.
constexpr int kMostDeliveries = 10;

constexpr char kServices[][7] = {"keys", "linker", "gate"};

struct Refusal {
  int succeeded = 0;  // commands before the one that was refused
  Outcome outcome;    // of that one, once there was space
};

// A world of which each service has all it keeps on a file system of 24 MiB in memory: too small for RocksDB to set the
// space of a whole write-ahead log aside (32 MiB), into which small writes would go on for long.
class DiskFullService : public ::testing::Test {
 protected:
  void SetUp() override {
    // Mounts in a name space of this process and its children disappear with them, whatever happens.
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      GTEST_SKIP() << "cannot mount a small tmpfs (" << std::strerror(errno) << "); run as root to test a full disk";
    }
    world_ = std::make_unique<World>();
    world_->MakeCountry();
  }
  void TearDown() override {
    for (const std::string& service : mounted_) {
      world_->Stop(service);
      EXPECT_EQ(umount((*world_ / ("services/" + service)).c_str()), 0) << std::strerror(errno);
    }
  }

  // Moves a service to a disk of its own, which this test can fill.
  void MoveToSmallDisk(const std::string& service) {
    world_->Stop(service);
    const std::filesystem::path home = *world_ / ("services/" + service), aside = *world_ / (service + "-aside");
    std::filesystem::rename(home, aside);
    std::filesystem::create_directory(home);
    ASSERT_EQ(mount("tmpfs", home.c_str(), "tmpfs", 0, "size=24m,mode=0700"), 0) << std::strerror(errno);
    mounted_.push_back(service);
    std::filesystem::copy(aside, home, std::filesystem::copy_options::recursive);
    world_->Start(service);
  }
  std::string Ballast(const std::string& service) const { return *world_ / ("services/" + service + "/ballast"); }
  void Fill(const std::string& service) const {
    std::ofstream ballast(Ballast(service), std::ios::binary);
    const std::string block(1 << 12, 'x');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }

  // Fills the disk and gives the commands `command(0)`, `command(1)`, ... until one fails; before that the last page of
  // the write-ahead log may have had room for what a command writes, so `most` of them may succeed. The one that fails
  // says whose disk is full, as often as it is given, leaves no entry in the log, and succeeds once there is space.
  Refusal RunOnFullDisk(const std::function<std::vector<std::string>(int)>& command, const std::string& service,
                        const std::string& name, int most) {
    Refusal refusal;
    Outcome refused;
    std::map<std::string, std::uint64_t> before;
    for (;; ++refusal.succeeded) {
      before = world_->AuditLog(service).by_type;
      Fill(service);
      refused = world_->Sluis(command(refusal.succeeded));
      if (refused.exit_code != 0) break;
      if (refusal.succeeded == most) {
        ADD_FAILURE() << "the full disk of the " << name << " hindered none of " << most + 1 << " commands";
        return refusal;
      }
    }
    const std::vector<std::string> arguments = command(refusal.succeeded);
    for (int attempt = 0; attempt < 2; ++attempt) {
      if (attempt > 0) refused = world_->Sluis(arguments);
      EXPECT_EQ(refused.exit_code, kExitLimit) << refused.out << refused.err;
      const json error = json::parse(refused.err, nullptr, /*allow_exceptions=*/false);
      if (!error.is_object()) {
        ADD_FAILURE() << "not an error as JSON: " << refused.err;
        return refusal;
      }
      EXPECT_EQ(error.value("reason", ""), "DISK_FULL") << refused.err;
      EXPECT_EQ(error.value("error", ""), "RESOURCE_EXHAUSTED") << refused.err;
      EXPECT_NE(refused.err.find("the disk of the " + name + " is full"), std::string::npos) << refused.err;
      EXPECT_EQ(refused.err.find(world_->directory()), std::string::npos) << "a path of the service: " << refused.err;
    }
    EXPECT_EQ(world_->AuditLog(service).by_type, before);
    std::filesystem::remove(Ballast(service));
    refusal.outcome = world_->Sluis(arguments);
    EXPECT_EQ(refusal.outcome.exit_code, 0) << refusal.outcome.out << refusal.outcome.err;
    return refusal;
  }
  Refusal RunOnFullDisk(const std::vector<std::string>& command, const std::string& service, const std::string& name) {
    return RunOnFullDisk([&](int) { return command; }, service, name, 0);
  }

  // What a custodian would use of its quotas with a delivery and all before it, whose identifiers are in its cache.
  std::map<std::string, std::uint64_t> Planned(std::vector<std::string> submit) {
    submit.push_back("--dry-run");
    const Outcome planned = world_->Sluis(submit);
    EXPECT_EQ(planned.exit_code, 0) << planned.err;
    std::map<std::string, std::uint64_t> distinct;
    const json plan = json::parse(planned.out);
    for (const json& purpose : plan["identifiers"]) distinct[purpose["purpose"]] = purpose["distinct"];
    return distinct;
  }

  std::unique_ptr<World> world_;
  std::vector<std::string> mounted_;
};

TEST_F(DiskFullService, IsToldAndLosesNothing) {
  for (const std::string service : kServices) MoveToSmallDisk(service);
  if (HasFailure()) return;
  // The control: on these disks everything works while they have space.
  const auto persons = World::Submit("population", "persons", "persons-1", "country/persons.csv");
  const Outcome confirmed = world_->Sluis(persons);
  ASSERT_EQ(confirmed.exit_code, 0) << confirmed.err;

  // A debit writes some 600 bytes, so the key holder's log may take the identifiers of several deliveries yet.
  const std::string jobs = ReadWhole(*world_ / "country/jobs.csv");
  const auto submit_jobs = [&](int number) {
    const std::string name = "jobs-" + std::to_string(number);
    WriteWhole(*world_ / ("country/" + name + ".csv"), FirstRecords(jobs, 100 + 20 * number));
    std::vector<std::string> more;
    if (number > 0) more = {"--replaces", "jobs-" + std::to_string(number - 1)};
    return World::Submit("employment", "jobs", name, "country/" + name + ".csv", more);
  };
  const Refusal debit = RunOnFullDisk(submit_jobs, "keys", "key holder", kMostDeliveries);
  if (HasFailure()) return;
  // All was debited in the end, and nothing twice: a delivery begins with all the records of the one before it.
  const auto jobs_planned = Planned(
      World::Submit("employment", "jobs", "jobs-99", "country/jobs-" + std::to_string(debit.succeeded) + ".csv"));
  ASSERT_EQ(jobs_planned.size(), 2u);
  EXPECT_EQ(world_->QuotaUsed("employment"), jobs_planned);

  const std::uint64_t deliveries = world_->AuditLog("linker").by_type["delivery"];
  EXPECT_EQ(deliveries, static_cast<std::uint64_t>(debit.succeeded) + 2);
  RunOnFullDisk(World::Submit("benefits", "benefits", "benefits-1", "country/benefits.tsv.gz"), "linker", "linker");
  EXPECT_EQ(world_->AuditLog("linker").by_type["delivery"], deliveries + 1);
  // What was confirmed before is there still.
  const Outcome again = world_->Sluis(persons);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(json::parse(again.out)["entry"], json::parse(confirmed.out)["entry"]);

  if (HasFailure()) return;
  RunOnFullDisk(World::As("office", "link", {"--request-id", "link-1"}), "linker", "linker");
  EXPECT_EQ(world_->AuditLog("linker").by_type["link-set"], 1u);

  if (HasFailure()) return;
  WriteWhole(*world_ / "request.yaml", SmallRequest("work"));
  RunOnFullDisk(World::As("office", "table", {"--request", "request.yaml", "--out", "release"}), "gate", "gate");
  const auto logged = world_->AuditLog("gate").by_type;
  EXPECT_EQ(logged.count("release"), 1u);
  EXPECT_EQ(logged.count("refusal"), 0u) << "a full disk is not a refusal";
  const Outcome verdict =
      world_->Sluis({"audit", "verify", "--release", "release", "--permit", "permit", "--log", "services/gate/log"});
  EXPECT_EQ(verdict.exit_code, 0) << verdict.out << verdict.err;

  // All of it is there after a restart, too.
  for (const std::string service : kServices) {
    const auto before = world_->AuditLog(service).by_type;
    world_->Stop(service);
    world_->Start(service);
    EXPECT_EQ(world_->AuditLog(service).by_type, before) << service;
  }
  EXPECT_EQ(world_->QuotaUsed("employment"), jobs_planned);
}

}  // namespace
}  // namespace sluis::testing
