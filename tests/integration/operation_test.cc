#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/sluis/linker/v1/linker.grpc.pb.h"
#include "tests/integration/world.h"

// The services as an operator meets them: health, metrics, configuration, the end of a process.

namespace sluis::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::seconds kTimeout(20);
const std::map<std::string, std::string> kPrograms = {
    {"keys", "sluis-keysd"}, {"linker", "sluis-linkerd"}, {"gate", "sluis-disclosured"}};

// grpc.health.v1 on the wire: an empty request asks for the whole server; field 1 of the answer is the status.
const std::string kServing("\x08\x01", 2);
const std::string kNotServing("\x08\x02", 2);

std::string BytesOf(grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (buffer.Valid() && buffer.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// One call of the health service that is read message by message.
class HealthCall {
 public:
  HealthCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) : stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + kTimeout);
    call_ = stub_.PrepareCall(&context_, "/grpc.health.v1.Health/" + method, &queue_);
    call_->StartCall(nullptr);
    if (!Done()) return;
    const grpc::Slice nothing("");
    call_->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
    Done();
  }
  // The next message, or nullopt at the end of the call.
  std::optional<std::string> Read() {
    grpc::ByteBuffer answer;
    call_->Read(&answer, nullptr);
    return Done() ? std::optional<std::string>(BytesOf(answer)) : std::nullopt;
  }
  void Cancel() { context_.TryCancel(); }
  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, nullptr);
    Done();
    return status;
  }

 private:
  bool Done() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return ok;
  }
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

// Waits until `condition` holds; fails the test after 20 s.
template <typename Condition>
void WaitUntil(const Condition& condition, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + kTimeout;
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// Starts a service as a child of the test, so that its exit code can be seen.
std::unique_ptr<Command> StartOwn(World& world, const std::string& service) {
  world.Stop(service);
  auto command = world.StartProgram(kPrograms.at(service), {"serve", "--config", "services/" + service + ".yaml"});
  const std::string ready = world / ("services/" + service + "/ready");
  WaitUntil([&] { return std::filesystem::exists(ready); }, "no start");
  WriteWhole(world / ("services/" + service + "/address"), ReadWhole(ready));
  return command;
}

// A port that nobody listens on now.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  close(fd);
  return ntohs(address.sin_port);
}

// What GET /metrics answers, header and body.
std::string Metrics(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
    EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
  }
  close(fd);
  return answer;
}

TEST(Operation, HealthSaysServingUntilTheServiceDrains) {
  World world;
  std::map<std::string, std::unique_ptr<HealthCall>> watches;
  for (const std::string service : {"keys", "linker", "gate"}) {
    const auto channel = world.Channel("office", service);
    HealthCall check(channel, "Check");
    EXPECT_EQ(check.Read(), kServing) << service;
    EXPECT_TRUE(check.Finish().ok()) << service;
    const auto& watch = watches[service] = std::make_unique<HealthCall>(channel, "Watch");
    EXPECT_EQ(watch->Read(), kServing) << service;
  }
  // All drain at a time: who goes on watching delays the end by the drain time.
  for (const auto& [service, watch] : watches) {
    ASSERT_EQ(kill(std::stoi(ReadWhole(world / ("services/" + service + "/pid"))), SIGTERM), 0) << service;
  }
  for (const auto& [service, watch] : watches) {
    EXPECT_EQ(watch->Read(), kNotServing) << service;
    if (service != "gate") watch->Cancel();
  }
  for (const auto& [service, watch] : watches) {
    EXPECT_EQ(watch->Read(), std::nullopt) << service;
    EXPECT_FALSE(watch->Finish().ok()) << service;
    world.Stop(service);
    HealthCall after(world.Channel("office", service), "Check");
    EXPECT_EQ(after.Read(), std::nullopt) << service;
    EXPECT_EQ(after.Finish().error_code(), grpc::StatusCode::UNAVAILABLE) << service;
  }
}

TEST(Operation, DrainsOnSigtermRunningCallsFinishAndNewOnesAreRefused) {
  World world;
  const std::unique_ptr<Command> linker = StartOwn(world, "linker");
  if (HasFatalFailure()) return;
  const auto channel = world.Channel("employment", "linker");
  // A first connection that fails would fail the call at once; this tries again.
  ASSERT_TRUE(channel->WaitForConnected(std::chrono::system_clock::now() + kTimeout));
  const auto stub = linker::v1::Linker::NewStub(channel);
  // A call that runs: the service waits for the first chunk.
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  linker::v1::UploadResponse response;
  const auto upload = stub->Upload(&context, &response);
  // What came later on the same connection was answered: so the service has the call.
  HealthCall check(channel, "Check");
  EXPECT_EQ(check.Read(), kServing);
  EXPECT_TRUE(check.Finish().ok());

  const auto start = std::chrono::steady_clock::now();
  linker->Signal(SIGTERM);
  WaitUntil([&] { return !std::filesystem::exists(world / "services/linker/ready"); }, "no drain");
  WaitUntil(
      [&] {
        HealthCall another(world.Channel("office", "linker"), "Check");
        return !another.Read().has_value() && another.Finish().error_code() == grpc::StatusCode::UNAVAILABLE;
      },
      "new calls are taken while the service drains");

  // The running call gets its own answer, not one about the end of the service.
  EXPECT_TRUE(upload->WritesDone());
  const grpc::Status status = upload->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("the stream has no chunk"));
  const Outcome outcome = linker->Wait(std::chrono::seconds(30));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << "the drain time";
  EXPECT_THAT(outcome.err, HasSubstr("\"event\":\"draining\""));
  EXPECT_THAT(outcome.err, HasSubstr("\"event\":\"stopped\""));
}

TEST(Operation, MetricsCountCallsAndNameNobody) {
  World world;
  world.MakeCountry();
  std::map<std::string, int> ports;
  for (const std::string service : {"keys", "linker", "gate"}) {
    world.Stop(service);
    const std::string config = world / ("services/" + service + ".yaml");
    ports[service] = FreePort();
    WriteWhole(config, ReadWhole(config) + "metrics_listen: 127.0.0.1:" + std::to_string(ports[service]) + "\n");
    world.Start(service);
  }
  world.SubmitAll();
  if (HasFatalFailure()) return;
  EXPECT_EQ(world.SluisAs("office", "link", {}).exit_code, 0);
  WriteWhole(world / "request.yaml", SmallRequest("work"));
  EXPECT_EQ(world.SluisAs("office", "table", {"--request", "request.yaml", "--out", "release"}).exit_code, 0);

  const std::map<std::string, std::string> expected = {
      {"keys", R"(sluis_rpcs_total{code="OK",method="Keys.Evaluate"})"},
      {"linker", R"(sluis_rpcs_total{code="OK",method="Linker.CommitUpload"} 5)"},
      {"gate", R"(sluis_rpcs_total{code="OK",method="Gate.StartTable"} 1)"}};
  // Labels hold what the program names and nothing that a caller does.
  const std::regex kLabel("([a-z_]+)=\"([^\"]*)\"");
  const std::regex kMethod("[A-Za-z]+\\.[A-Za-z]+"), kCode("[A-Z_]+"), kNumber("[0-9.eE+-]+|\\+Inf");
  for (const auto& [service, port] : ports) {
    const std::string answer = Metrics(port);
    EXPECT_THAT(answer, HasSubstr("200 OK")) << service;
    EXPECT_THAT(answer, HasSubstr(expected.at(service))) << service;
    // The key holder logged nothing since it started.
    EXPECT_EQ(answer.find("sluis_log_entries_total ") != std::string::npos, service != "keys") << service;
    const std::string body = answer.substr(answer.find("\r\n\r\n"));
    int labels = 0;
    for (std::sregex_iterator it(body.begin(), body.end(), kLabel), end; it != end; ++it, ++labels) {
      const std::string name = (*it)[1], value = (*it)[2];
      const bool fine = name == "method"                     ? std::regex_match(value, kMethod)
                        : name == "code"                     ? std::regex_match(value, kCode)
                        : name == "le" || name == "quantile" ? std::regex_match(value, kNumber)
                                                             : false;
      EXPECT_TRUE(fine) << service << ": " << name << "=" << value;
    }
    EXPECT_GT(labels, 10) << service;
    for (const std::string text : {"spiffe", "nl-integration-demo", "jobs-1", "persons", "office", "employment"}) {
      EXPECT_EQ(body.find(text), std::string::npos) << service << " names " << text;
    }
  }
}

TEST(Operation, AnUnknownConfigurationKeyStopsTheStart) {
  World world;
  for (const auto& [service, program] : kPrograms) {
    world.Stop(service);
    const std::string config = world / ("services/" + service + ".yaml");
    const std::string good = ReadWhole(config);
    WriteWhole(config, good + "surprise_key: 1\n");
    const Outcome outcome = world.Run(program, {"serve", "--config", "services/" + service + ".yaml"});
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("surprise_key")) << service;
    EXPECT_FALSE(std::filesystem::exists(world / ("services/" + service + "/ready")));
    // The control: without it the service starts.
    WriteWhole(config, good);
    world.Start(service);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sluis::testing
