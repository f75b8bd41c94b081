#pragma once

#include <grpcpp/grpcpp.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/permit/permit.h"
#include "common/rpc/tls.h"
#include "tests/common/store/temporary_directory.h"

// A whole world of Sluis for a test: deploy/world makes it and starts its services, which are the programs that
// operators run. Needs SLUIS_SOURCE_DIR and SLUIS_BINARY_DIR, which ctest sets.

namespace sluis::testing {

// How a program ended and what it said.
struct Outcome {
  int exit_code = -1;  // 128 + the signal, if a signal ended it
  std::string out, err;
};

// A program that runs beside the test. What it prints is kept in `output`.out and `output`.err.
class Command {
 public:
  Command(const std::vector<std::string>& arguments, const std::string& directory, const std::string& output);
  // Kills the program if it still runs.
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  void Signal(int number) const;
  // Waits for the end. Fails the test and kills the program after `timeout`.
  Outcome Wait(std::chrono::seconds timeout = std::chrono::seconds(60));

 private:
  pid_t pid_ = -1;
  std::string output_;
};

class World {
 public:
  static constexpr char kPermitId[] = "nl-integration-demo";

  // Makes the world and starts keys, linker and gate. A process of its own stops them when this object goes or the
  // test dies, however it dies.
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A path in the world's folder.
  std::string operator/(const std::string& name) const { return directory() + "/" + name; }
  std::string directory() const { return temporary_ / "world"; }

  void Start(const std::string& service);  // keys | linker | gate
  void Stop(const std::string& service);   // drains it
  void Kill(const std::string& service);   // kill -9; returns when the process is gone

  // `sluis ARGUMENTS`, in the world's folder and without progress lines; all that it prints stays in `output/`.
  std::unique_ptr<Command> StartSluis(const std::vector<std::string>& arguments);
  Outcome Sluis(const std::vector<std::string>& arguments) { return StartSluis(arguments)->Wait(); }

  // `sluis COMMAND --config clients/CLIENT.yaml --permit permit ARGUMENTS`, with results and errors as JSON.
  static std::vector<std::string> As(const std::string& client, const std::string& command,
                                     const std::vector<std::string>& arguments);
  Outcome SluisAs(const std::string& client, const std::string& command, const std::vector<std::string>& arguments) {
    return Sluis(As(client, command, arguments));
  }
  static std::vector<std::string> Submit(const std::string& client, const std::string& register_name,
                                         const std::string& delivery, const std::string& file,
                                         const std::vector<std::string>& more = {});
  // Makes a country of 600 persons in `country/`.
  void MakeCountry();
  // Submits the five registers of `country/` as REGISTER-1.
  void SubmitAll();

  // The TLS files of a party of the world: keys, linker, gate, office, auditor, stranger or a custodian.
  common::TlsFiles Tls(const std::string& party) const;
  std::string Address(const std::string& service) const;
  static std::string Identity(const std::string& service) { return "spiffe://sluis.example/" + service; }
  // Makes a certificate tls/NAME for spiffe://sluis.example/PATH.
  void MakeCertificate(const std::string& name, const std::string& path);
  // Starts a program of the build in the world's folder, or runs it to its end.
  std::unique_ptr<Command> StartProgram(const std::string& program, const std::vector<std::string>& arguments);
  Outcome Run(const std::string& program, const std::vector<std::string>& arguments) {
    return StartProgram(program, arguments)->Wait();
  }
  // A channel to a service, as a party.
  std::shared_ptr<grpc::Channel> Channel(const std::string& party, const std::string& service) const;

  common::Permit Permit() const;
  std::string LogKey(const std::string& service) const;
  // What a custodian has used of its quotas, by purpose.
  std::map<std::string, std::uint64_t> QuotaUsed(const std::string& custodian) const;
  // The number of entries of a service's log, and how many there are of each type. Fails the test unless the log
  // verifies with `sluis audit log`.
  struct LogSize {
    std::uint64_t entries = 0;
    std::map<std::string, std::uint64_t> by_type;
  };
  LogSize AuditLog(const std::string& service);

 private:
  Outcome RunWorld(const std::string& command, const std::vector<std::string>& services);

  common::testing::TemporaryDirectory temporary_;
  pid_t warden_ = -1;
  int warden_pipe_ = -1;
  int outputs_ = 0;
};

// The whole of a file; fails the test if it cannot be read.
std::string ReadWhole(const std::string& path);
void WriteWhole(const std::string& path, const std::string& bytes);

// The first `records` rows of a file with a header.
std::string FirstRecords(const std::string& text, int records);

// A small table request: persons in paid work by sex and age.
std::string SmallRequest(const std::string& id);

}  // namespace sluis::testing
