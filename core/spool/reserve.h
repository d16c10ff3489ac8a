// A little room on the disk that belongs to the spool, given up when the disk is full: deleting needs some, too.
//
// Here: <dir>/spool.reserve. It is made with the spool, so that a disk without room shows at once. [storage thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

class Reserve {
 public:
  explicit Reserve(const std::string& dir) : path_(dir + "/spool.reserve") {}

  // Makes it if it is not there; a disk that has no room for it is told once.
  void make();
  void give_up();
  // Whether anything can be written and synced beside it now.
  [[nodiscard]] Outcome probe() const;

 private:
  const std::string path_;
  bool told_ = false;
};

}  // namespace pganalytics::spool
