#include "intent_data.h"

#include <filesystem>
#include <map>
#include <optional>

#include "csv_reader.h"
#include "intent_catalogue.h"
#include "payops/core/text.h"

namespace payops::app {
namespace {

using support_agent::Intent;
using support_agent::IntentClass;
using support_agent::kOutOfScope;
using support_agent::LabelledText;

struct LabelledRow {
  std::string text, category;
  std::optional<IntentClass> top;
  Error unknown_category;  // what to say if nobody knows the category
};

struct Columns {
  std::size_t text = 0;
  std::optional<std::size_t> category, top;
};

Result<Columns> columns_of(const CsvReader& csv, bool needs_category) {
  Columns columns;
  const auto text = csv.column("text");
  if (!text) return tl::make_unexpected(text.error());
  columns.text = *text;
  if (const auto category = csv.column("category")) {
    columns.category = *category;
  } else if (needs_category) {
    return tl::make_unexpected(category.error());
  }
  if (const auto top = csv.column("class")) columns.top = *top;
  return columns;
}

Result<LabelledRow> read_row(const CsvReader& csv, const Columns& columns) {
  LabelledRow row{
      .text = csv.text(columns.text),
      .category = columns.category ? csv.text(*columns.category) : std::string(kOutOfScope),
      .top = std::nullopt,
      .unknown_category = {}};
  if (support_agent::normalise(row.text).empty()) {
    return tl::make_unexpected(csv.wrong(columns.text, "the message is empty"));
  }
  if (columns.category && row.category.empty()) {
    return tl::make_unexpected(
        csv.wrong(*columns.category, "no category; \"oos\" is out of scope"));
  }
  if (columns.top && row.category != kOutOfScope) {
    row.top = parse_enum<IntentClass>(csv.text(*columns.top));
    if (!row.top || *row.top == IntentClass::unknown) {
      return tl::make_unexpected(
          csv.wrong(*columns.top,
                    "\"" + csv.text(*columns.top) + "\" is not one of FAQ, ACCOUNT, COMPLAINT"));
    }
  }
  if (columns.category) {
    row.unknown_category =
        csv.wrong(*columns.category, "the model does not know \"" + row.category + "\"");
  }
  return row;
}

Result<std::vector<LabelledRow>> read_rows(const std::string& path, bool needs_category) {
  auto csv = CsvReader::open(path);
  if (!csv) return tl::make_unexpected(csv.error());
  const auto columns = columns_of(*csv, needs_category);
  if (!columns) return tl::make_unexpected(columns.error());
  std::vector<LabelledRow> rows;
  while (true) {
    const auto more = csv->next();
    if (!more) return tl::make_unexpected(more.error());
    if (!*more) break;
    auto row = read_row(*csv, *columns);
    if (!row) return tl::make_unexpected(row.error());
    rows.push_back(std::move(*row));
  }
  if (rows.empty()) return fail(ErrorCode::usage, path + ": no message below the header");
  return rows;
}

std::vector<std::string> names_of(const std::vector<Intent>& intents) {
  std::vector<std::string> names;
  for (const Intent& intent : intents) names.push_back(intent.name);
  return names;
}

Result<std::vector<LabelledText>> label(const std::vector<LabelledRow>& rows,
                                        const std::vector<Intent>& known) {
  std::map<std::string, uint32_t> index;
  for (const Intent& intent : known) {
    index.emplace(intent.name, static_cast<uint32_t>(index.size()));
  }
  std::vector<LabelledText> out;
  for (const LabelledRow& row : rows) {
    if (row.category == kOutOfScope) {
      out.push_back({row.text, support_agent::kNoIntent});
      continue;
    }
    const auto found = index.find(row.category);
    if (found == index.end()) {
      Error error = row.unknown_category;
      error.message += did_you_mean(row.category, names_of(known));
      return tl::make_unexpected(error);
    }
    out.push_back({row.text, found->second});
  }
  return out;
}

IntentData of_examples(const support_agent::IntentCatalogue& catalogue) {
  IntentData data;
  for (const auto& intent : catalogue.intents) {
    if (intent.top == IntentClass::unknown) {
      for (const auto& text : intent.examples) data.messages.push_back({text});
      continue;
    }
    const auto index = static_cast<uint32_t>(data.intents.size());
    data.intents.push_back({intent.name, intent.top, intent.to_person});
    for (const auto& text : intent.examples) data.messages.push_back({text, index});
  }
  return data;
}

std::vector<LabelledRow> rows_of(const support_agent::IntentCatalogue& catalogue,
                                 const std::string& path) {
  std::vector<LabelledRow> rows;
  for (const auto& intent : catalogue.intents) {
    const std::string name =
        intent.top == IntentClass::unknown ? std::string(kOutOfScope) : intent.name;
    for (const auto& text : intent.examples) {
      rows.push_back(
          {text,
           name,
           intent.top,
           {ErrorCode::usage, false, path + ": the model does not know \"" + intent.name + "\""}});
    }
  }
  return rows;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace

Result<IntentData> read_intent_data(const std::string& path) {
  if (is_folder(path)) {
    const auto catalogue = read_intent_catalogue(path);
    if (!catalogue) return tl::make_unexpected(catalogue.error());
    return of_examples(*catalogue);
  }
  const auto rows = read_rows(path, true);
  if (!rows) return tl::make_unexpected(rows.error());
  std::map<std::string, IntentClass> classes;
  for (const LabelledRow& row : *rows) {
    if (row.category != kOutOfScope) {
      classes.emplace(row.category, row.top.value_or(IntentClass::faq));
    }
  }
  IntentData data;
  for (const auto& [name, top] : classes) data.intents.push_back({name, top, false});
  auto messages = label(*rows, data.intents);
  if (!messages) return tl::make_unexpected(messages.error());
  data.messages = std::move(*messages);
  return data;
}

Result<std::vector<LabelledText>> read_messages(const std::string& path,
                                                const std::vector<Intent>& known) {
  if (is_folder(path)) {
    const auto catalogue = read_intent_catalogue(path);
    if (!catalogue) return tl::make_unexpected(catalogue.error());
    return label(rows_of(*catalogue, path), known);
  }
  const auto rows = read_rows(path, true);
  if (!rows) return tl::make_unexpected(rows.error());
  return label(*rows, known);
}

Result<std::vector<LabelledText>> read_out_of_scope(const std::string& path) {
  const auto rows = read_rows(path, false);
  if (!rows) return tl::make_unexpected(rows.error());
  for (const LabelledRow& row : *rows) {
    if (row.category == kOutOfScope) continue;
    Error error = row.unknown_category;
    error.message = error.message.substr(0, error.message.rfind("the model")) + "\"" +
                    row.category + "\" in a file of out-of-scope messages; it must be \"oos\"";
    return tl::make_unexpected(error);
  }
  std::vector<LabelledText> out;
  for (const LabelledRow& row : *rows) out.push_back({row.text});
  return out;
}

}  // namespace payops::app
