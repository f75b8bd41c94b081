#include "tests/integration/second_permit.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace sluis::testing {
namespace {

constexpr char kDomain[] = "spiffe://sluis.example/";
const std::map<std::string, std::string> kPaths = {{"keys", "keys"},
                                                   {"linker", "linker"},
                                                   {"gate", "gate"},
                                                   {"office", "office/statistics"},
                                                   {"auditor", "auditor/court"},
                                                   {"population", "custodian/population"},
                                                   {"employment", "custodian/employment"},
                                                   {"benefits", "custodian/benefits"},
                                                   {"education", "custodian/education"}};

// Replaces every `from`; fails the test if there is none.
void Replace(std::string& text, const std::string& from, const std::string& to) {
  std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  for (; at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

}  // namespace

void AddSecondPermit(World& world, const std::set<std::string>& parties) {
  for (const std::string& party : parties) {
    world.MakeCertificate(SecondParty(party), "second/" + kPaths.at(party));
  }
  for (const std::string service : {"keys", "linker", "gate"}) world.Stop(service);

  std::filesystem::copy(world / "permit", world / "permit-second", std::filesystem::copy_options::recursive);
  std::string document = ReadWhole(world / "permit/permit.yaml");
  Replace(document, World::kPermitId, kSecondPermitId);
  Replace(document, kDomain, std::string(kDomain) + "second/");
  for (const std::string purpose : {"identifiers", "match-keys", "tokens"}) {
    const Outcome made = world.Run("sluis-keysd", {"create-key", "--config", "services/keys.yaml", "--project",
                                                   kSecondPermitId, "--purpose", purpose});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    const auto key = [](const std::string& json) {
      return nlohmann::json::parse(json)["public_key"].get<std::string>();
    };
    Replace(document, key(ReadWhole(world / ("services/keys-" + purpose + ".json"))), key(made.out));
  }
  WriteWhole(world / "permit-second/permit.yaml", document);
  for (const std::string officer : {"anna", "bram"}) {
    const Outcome approved = world.Sluis(
        {"permit", "approve", "permit-second", "--name", officer, "--key", "approvers/" + officer + ".key"});
    ASSERT_EQ(approved.exit_code, 0) << approved.err;
  }
  for (const std::string service : {"keys", "linker", "gate"}) {
    std::string config = ReadWhole(world / ("services/" + service + ".yaml"));
    Replace(config, "[../permit]", "[../permit, ../permit-second]");
    WriteWhole(world / ("services/" + service + ".yaml"), config);
    world.Start(service);
  }
}

}  // namespace sluis::testing
