#include <doctest/doctest.h>

#include <filesystem>

#include "../../src/app/cmd_intents.h"
#include "../../src/app/intent_data.h"
#include "memory/folder.h"

namespace payops::app {
namespace {

// The exit status of `payops ARGUMENTS`.
int run(const std::string& arguments) {
  CLI::App app;
  Command command;
  add_intents_command(app, command);
  app.parse(arguments, false);
  return command();
}

std::string complaint(const std::string& rows) {
  const memory::Folder folder;
  memory::put_bytes(folder / "rows.csv", rows);
  const auto data = read_intent_data(folder / "rows.csv");
  if (data) return "";
  return data.error().message.substr(data.error().message.find("rows.csv"));
}

TEST_CASE("messages come from a CSV with their intents and classes") {
  const memory::Folder folder;
  memory::put_bytes(folder / "rows.csv",
                    "text,category,class\nlost it,card_lost,ACCOUNT\nsing,oos,\ntwice!,double,"
                    "COMPLAINT\n");
  const auto data = read_intent_data(folder / "rows.csv");
  REQUIRE(data);
  REQUIRE(data->intents.size() == 2);
  CHECK(data->intents[1].top == support_agent::IntentClass::complaint);
  REQUIRE(data->messages.size() == 3);
  CHECK(data->messages[0].intent == 0);
  CHECK(data->messages[1].intent == support_agent::kNoIntent);
  CHECK(data->messages[2].intent == 1);
}

TEST_CASE("a bad row is said with file, line and column") {
  CHECK(complaint("text,label\na,b\n").starts_with("rows.csv:1: no column \"category\""));
  CHECK(complaint("text,category\na,b\n , b\n") ==
        "rows.csv:3: column \"text\": the message is empty");
  CHECK(
      complaint("text,category\na,\n").starts_with("rows.csv:2: column \"category\": no category"));
  CHECK(complaint("text,category\na,b\nc\n") == "rows.csv:3: 1 fields where the header has 2");
  CHECK(complaint("text,category,class\na,b,GREETING\n")
            .starts_with("rows.csv:2: column \"class\": \"GREETING\" is not one of"));
  CHECK(complaint("text,category\n") == "rows.csv: no message below the header");
}

TEST_CASE("a model is trained and evaluated; what is unknown to it is refused") {
  const memory::Folder folder;
  std::string rows = "text,category\n";
  for (const char* word : {"lost", "gone", "stolen", "missing"}) {
    rows += std::string("my card is ") + word + ",card_lost\n";
    rows += std::string("refund is ") + word + " again,refund\n";
  }
  memory::put_bytes(folder / "rows.csv", rows);
  memory::put_bytes(folder / "oos.csv", "text\nsing a song\n");
  memory::put_bytes(folder / "other.csv", "text,category\nhello,crad_lost\n");
  const std::string model = " --model " + (folder / "m");
  const std::string data = " --data " + (folder / "rows.csv");
  CHECK(run("intents train" + data + " --oos " + (folder / "oos.csv") + model + " --seed 3") ==
        kExitDone);
  REQUIRE(std::filesystem::exists(folder / "m"));
  const std::string first = memory::bytes_of(folder / "m");
  CHECK(run("intents train" + data + " --oos " + (folder / "oos.csv") + model + " --seed 3") ==
        kExitDone);
  CHECK(memory::bytes_of(folder / "m") == first);
  CHECK(run("intents evaluate" + model + data + " --json") == kExitDone);
  CHECK(run("intents evaluate" + model + data) == kExitDone);
  CHECK(run("intents evaluate" + model + " --data " + (folder / "other.csv")) == kExitUsage);
  CHECK(run("intents evaluate --model " + (folder / "rows.csv") + data) == kExitNo);
  CHECK(run("intents evaluate --model " + (folder / "none") + data) == kExitUsage);
  CHECK(run("intents train --data " + (folder / "none") + model) == kExitUsage);
}

}  // namespace
}  // namespace payops::app
