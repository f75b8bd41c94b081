#include "common/entry/entry.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"

namespace sluis::common {

std::string FormatEntry(std::string_view type, std::int64_t time_seconds, EntryFields fields) {
  nlohmann::json object;  // keys are sorted
  for (const auto& [name, value] : fields) {
    std::visit([&object, &name = name](const auto& v) { object[name] = v; }, value);
  }
  object["v"] = 1;
  object["type"] = type;
  object["time"] = time_seconds;
  return object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string Entry::Text(std::string_view name) const {
  const auto it = fields.find(name);
  const auto* text = it == fields.end() ? nullptr : std::get_if<std::string>(&it->second);
  return text == nullptr ? std::string() : *text;
}

std::int64_t Entry::Number(std::string_view name) const {
  const auto it = fields.find(name);
  const auto* number = it == fields.end() ? nullptr : std::get_if<std::int64_t>(&it->second);
  return number == nullptr ? 0 : *number;
}

absl::StatusOr<Entry> ParseEntry(std::string_view bytes) {
  const auto fail = [] {
    return absl::InvalidArgumentError("not a log entry: one line of canonical JSON is expected");
  };
  const nlohmann::json object = nlohmann::json::parse(bytes, nullptr, false);
  if (!object.is_object()) return fail();
  Entry entry;
  for (const auto& [name, value] : object.items()) {
    if (name == "v") {
      if (value != 1) return fail();
    } else if (name == "type") {
      if (!value.is_string()) return fail();
      entry.type = value.get<std::string>();
    } else if (name == "time") {
      if (!value.is_number_integer()) return fail();
      entry.time_seconds = value.get<std::int64_t>();
    } else if (value.is_string()) {
      entry.fields[name] = value.get<std::string>();
    } else if (value.is_number_integer()) {
      entry.fields[name] = value.get<std::int64_t>();
    } else {
      return fail();
    }
  }
  if (FormatEntry(entry.type, entry.time_seconds, entry.fields) != bytes) return fail();
  return entry;
}

std::string HexOf(const Hash256& hash) { return HexEncode(AsChars(hash)); }

}  // namespace sluis::common
