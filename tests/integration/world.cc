#include "tests/integration/world.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/document/permit_document.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "proto/sluis/keys/v1/keys.grpc.pb.h"

namespace sluis::testing {
namespace {

constexpr std::chrono::milliseconds kPoll(2);
constexpr std::chrono::seconds kKillTimeout(20);
constexpr std::chrono::seconds kCallTimeout(20);

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    ADD_FAILURE() << name << " is not set; run the test with ctest";
    return "";
  }
  return value;
}

std::string WorldScript() { return Environment("SLUIS_SOURCE_DIR") + "/deploy/world"; }

std::vector<char*> AsArgv(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

// A process that is gone, or dead and not yet collected by its parent, has no command line.
bool Runs(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  return in.peek() != std::ifstream::traits_type::eof();
}

}  // namespace

std::string ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void WriteWhole(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.close();
  EXPECT_TRUE(out.good()) << path;
}

Command::Command(const std::vector<std::string>& arguments, const std::string& directory, const std::string& output)
    : output_(output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (output + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, (output + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int error = posix_spawn(&pid_, arguments[0].c_str(), &actions, nullptr, AsArgv(arguments).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    ADD_FAILURE() << arguments[0] << " could not be started: error " << error;
  }
}

Command::~Command() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Command::Signal(int number) const {
  ASSERT_GT(pid_, 0);
  ASSERT_EQ(kill(pid_, number), 0);
}

Outcome Command::Wait(std::chrono::seconds timeout) {
  Outcome outcome;
  if (pid_ <= 0) return outcome;
  const auto end = std::chrono::steady_clock::now() + timeout;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      ADD_FAILURE() << "still running after " << timeout.count() << " s: " << output_;
      kill(pid_, SIGKILL);
      waitpid(pid_, &status, 0);
      break;
    }
    std::this_thread::sleep_for(kPoll);
  }
  pid_ = -1;
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = ReadWhole(output_ + ".out");
  outcome.err = ReadWhole(output_ + ".err");
  return outcome;
}

World::World() {
  const std::string script = WorldScript();
  const std::string world = directory();
  const std::vector<std::string> stop = {script, "stop", world};
  const std::vector<char*> argv = AsArgv(stop);
  // The warden waits for the end of a pipe that only this process holds, and stops the services then.
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  warden_ = fork();
  if (warden_ == 0) {
    close(ends[1]);
    char byte;
    while (read(ends[0], &byte, 1) > 0) {
    }
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[0]);
  warden_pipe_ = ends[1];
  const Outcome made = RunWorld("create", {});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  std::filesystem::create_directory(*this / "output");
  const Outcome started = RunWorld("start", {});
  EXPECT_EQ(started.exit_code, 0) << started.err;
}

World::~World() {
  close(warden_pipe_);
  int status = 0;
  waitpid(warden_, &status, 0);
  EXPECT_EQ(status, 0) << "the services could not be stopped";
}

Outcome World::RunWorld(const std::string& command, const std::vector<std::string>& services) {
  std::vector<std::string> arguments = {WorldScript(), command, directory()};
  arguments.insert(arguments.end(), services.begin(), services.end());
  return Command(arguments, temporary_.path(), temporary_ / ("world-" + std::to_string(outputs_++))).Wait();
}

void World::Start(const std::string& service) {
  const Outcome outcome = RunWorld("start", {service});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
}

void World::Stop(const std::string& service) {
  const Outcome outcome = RunWorld("stop", {service});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
}

void World::Kill(const std::string& service) {
  const pid_t pid = std::stoi(ReadWhole(*this / ("services/" + service + "/pid")));
  ASSERT_GT(pid, 1);
  ASSERT_EQ(kill(pid, SIGKILL), 0) << service << " does not run";
  const auto end = std::chrono::steady_clock::now() + kKillTimeout;
  while (Runs(pid)) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << service << " survives kill -9";
    std::this_thread::sleep_for(kPoll);
  }
}

void World::MakeCertificate(const std::string& name, const std::string& path) {
  const Outcome outcome = RunWorld("certificate", {name, path});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
}

std::unique_ptr<Command> World::StartProgram(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {Environment("SLUIS_BINARY_DIR") + "/" + program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return std::make_unique<Command>(all, directory(), *this / ("output/" + std::to_string(outputs_++)));
}

std::unique_ptr<Command> World::StartSluis(const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"--quiet"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return StartProgram("sluis", all);
}

std::vector<std::string> World::As(const std::string& client, const std::string& command,
                                   const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"--json", command, "--config", "clients/" + client + ".yaml", "--permit", "permit"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

std::vector<std::string> World::Submit(const std::string& client, const std::string& register_name,
                                       const std::string& delivery, const std::string& file,
                                       const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"--register", register_name, "--delivery", delivery, file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return As(client, "submit", arguments);
}

void World::MakeCountry() {
  const Outcome outcome = Sluis({"generate", "--persons", "600", "--out", "country"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
}

void World::SubmitAll() {
  const std::vector<std::vector<std::string>> deliveries = {{"population", "persons", "persons.csv"},
                                                            {"employment", "jobs", "jobs.csv"},
                                                            {"benefits", "benefits", "benefits.tsv.gz"},
                                                            {"education", "diplomas", "diplomas.csv.zst"},
                                                            {"education", "civic", "civic.csv"}};
  for (const auto& d : deliveries) {
    const Outcome outcome =
        Sluis(Submit(d[0], d[1], d[1] + "-1", "country/" + d[2], {"--receipt", d[1] + "-1.receipt"}));
    ASSERT_EQ(outcome.exit_code, 0) << d[1] << ": " << outcome.err;
  }
}

common::TlsFiles World::Tls(const std::string& party) const {
  return {*this / ("tls/" + party + ".crt"), *this / ("tls/" + party + ".key"), *this / "tls/ca.crt"};
}

std::string World::Address(const std::string& service) const {
  std::string address = ReadWhole(*this / ("services/" + service + "/address"));
  address.erase(address.find_last_not_of('\n') + 1);
  return address;
}

std::shared_ptr<grpc::Channel> World::Channel(const std::string& party, const std::string& service) const {
  auto channel = common::Connect(Tls(party), Address(service), Identity(service));
  EXPECT_THAT(channel, common::testing::IsOk());
  return channel.ok() ? *channel : nullptr;
}

common::Permit World::Permit() const {
  auto permit = common::ParsePermit(ReadWhole(*this / "permit/permit.yaml"));
  EXPECT_THAT(permit, common::testing::IsOk());
  return permit.ok() ? *std::move(permit) : common::Permit();
}

std::string World::LogKey(const std::string& service) const {
  return nlohmann::json::parse(ReadWhole(*this / ("services/" + service + ".json")))["log_key"];
}

std::map<std::string, std::uint64_t> World::QuotaUsed(const std::string& custodian) const {
  keys::v1::GetQuotaRequest request;
  request.set_permit_id(kPermitId);
  keys::v1::GetQuotaResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  const grpc::Status status =
      keys::v1::Keys::NewStub(Channel(custodian, "keys"))->GetQuota(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  std::map<std::string, std::uint64_t> used;
  for (const auto& quota : response.quotas()) used[quota.purpose()] = quota.used();
  return used;
}

World::LogSize World::AuditLog(const std::string& service) {
  const Outcome outcome =
      Sluis({"--json", "audit", "log", "--log", "services/" + service + "/log", "--key", LogKey(service)});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.out << outcome.err;
  if (outcome.exit_code != 0) return {};
  const nlohmann::json verdict = nlohmann::json::parse(outcome.out);
  return {verdict["size"], verdict["entries_by_type"]};
}

std::string FirstRecords(const std::string& text, int records) {
  std::size_t end = 0;
  for (int line = 0; line <= records; ++line) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

std::string SmallRequest(const std::string& id) {
  return "id: " + id + R"(
permit_id: nl-integration-demo
purpose: Persons in paid work by sex and age class, for a test.
link_set: latest
rule_set: rules/nl-strict-2026.yaml
variables:
  - {name: sex, field: persons.sex}
  - {name: age, field: persons.age_class}
  - name: in_work
    spell_covers: {register: jobs, start: start, end: end, date: "2026-09-30"}
tables:
  - name: work
    population:
      - {dimension: paid_work, variable: in_work, codes: ["yes"]}
    dimensions:
      - {dimension: sex, variable: sex}
      - {dimension: age, variable: age}
    measures:
      - {measure: persons}
)";
}

}  // namespace sluis::testing
