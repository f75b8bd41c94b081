#include "common/rpc/service_main.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "common/rpc/grpc_logs.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "common/rpc/telemetry.h"
#include "common/status/status.h"

namespace sluis::common {

int RunService(int argc, char** argv, const ServiceProgram& program) {
  HardenProcess();
  BlockSignals();
  RouteGrpcLogs(true);
  CLI::App app{program.description, program.name};
  app.set_version_flag("--version", SLUIS_VERSION);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 failed, 2 wrong command line or configuration.");
  absl::Status status;
  std::string config_path;

  CLI::App* init =
      app.add_subcommand("init", "Make the keystore of a new service; print its public keys as JSON, for the permit");
  init->add_option("--config", config_path, "YAML configuration")->required();
  init->callback([&] {
    const auto run = [&]() -> absl::Status {
      SLUIS_ASSIGN_OR_RETURN(const v1::Service config, LoadServiceConfig(config_path));
      SLUIS_ASSIGN_OR_RETURN(const PublicKeys keys, InitialiseService(config, program.with_sealing_key));
      nlohmann::ordered_json out = {{"log_key", keys.log_key}};
      if (!keys.sealing_key.empty()) out["sealing_key"] = keys.sealing_key;
      std::cout << out.dump(2) << "\n";
      return absl::OkStatus();
    };
    status = run();
  });

  CLI::App* serve = app.add_subcommand("serve", "Serve until SIGTERM");
  serve->add_option("--config", config_path, "YAML configuration")->required();
  serve->callback([&] {
    const auto run = [&]() -> absl::Status {
      SLUIS_ASSIGN_OR_RETURN(const v1::Service config, LoadServiceConfig(config_path));
      return program.serve(config);
    };
    status = run();
  });

  if (program.extend) program.extend(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // Said first: CLI11 would only say that a command is missing.
    if (app.get_subcommands().empty() && !app.remaining().empty()) {
      std::cerr << "there is no command " << app.remaining().front() << "\n";
    }
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (status.ok()) return 0;
  LogError("stopped", {{"code", absl::StatusCodeToString(status.code())},
                       {"message", std::string(status.message())},
                       {"reason", ReasonOf(status)}});
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace sluis::common
