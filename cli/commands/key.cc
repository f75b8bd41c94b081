#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/app/command.h"
#include "cli/app/key_file.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::cli {

void AddKeyCommand(CLI::App& app, Globals& globals) {
  CLI::App* key = app.add_subcommand(
      "key", "Keys of people: approvers sign permits, custodians sign deliveries, auditors open evidence");
  key->require_subcommand(1);

  struct Options {
    std::string type = "signing", out;
  };
  auto options = std::make_shared<Options>();
  CLI::App* create =
      key->add_subcommand("create", "Make a key pair; the secret goes to a file, the public key is printed");
  create->footer("Example:\n  sluis key create --type signing --out anna.key");
  create
      ->add_option("--type", options->type, "signing (Ed25519, approvers and custodians) or sealing (X25519, auditors)")
      ->check(CLI::IsMember({"signing", "sealing"}))
      ->capture_default_str();
  create->add_option("--out", options->out, "File for the secret key; must not exist")->required();
  OnRun(create, globals, [options]() -> absl::Status {
    std::array<std::uint8_t, 32> public_key;
    if (options->type == "signing") {
      const common::SigningKey pair = common::SigningKey::Generate();
      public_key = pair.public_key;
      SLUIS_RETURN_IF_ERROR(WriteKeyFile(options->out, pair.Seed()));
    } else {
      const common::SealingKeyPair pair = common::SealingKeyPair::Generate();
      public_key = pair.public_key;
      SLUIS_RETURN_IF_ERROR(WriteKeyFile(options->out, pair.secret_key));
    }
    const nlohmann::ordered_json result = {{"type", options->type},
                                           {"public_key", common::Base64Encode(common::AsChars(public_key))}};
    std::cout << result.dump(2) << "\n";
    return absl::OkStatus();
  });
}

}  // namespace sluis::cli
