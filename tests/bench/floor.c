/* The least that reading costs: each statement of a file with PQexec(), its rows thrown away. The reference of pg_stats.py.
 *
 *   floor CONNINFO FILE     a line of FILE: the database, a tab, the statement with newlines as spaces
 *
 * Each line on standard input is one cycle over all statements, in their order, on one session per database that is kept; "rows
 * bytes" on standard output answers it. Exit status: 0 standard input ended, 1 a statement failed. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENTS_MAX = 1000 };

struct statement {
  PGconn *session;
  char *sql;
};

static void die(const char *what, PGconn *session) {
  fprintf(stderr, "floor: %s: %s\n", what, session ? PQerrorMessage(session) : "");
  exit(1);
}

static PGconn *session_with(const char *conninfo, const char *database) {
  const char *keywords[] = {"dbname", "dbname", "options", NULL};
  const char *values[] = {conninfo, database, "-c jit=off -c max_parallel_workers_per_gather=0 -c TimeZone=UTC", NULL};
  PGconn *session = PQconnectdbParams(keywords, values, 1);
  if (PQstatus(session) != CONNECTION_OK) die(database, session);
  return session;
}

static size_t read_statements(const char *conninfo, const char *path, struct statement *all) {
  static char *databases[STATEMENTS_MAX];
  FILE *file = fopen(path, "r");
  if (!file) die(path, NULL);
  size_t count = 0, room = 0;
  char *line = NULL;
  while (count < STATEMENTS_MAX && getline(&line, &room, file) > 0) {
    line[strcspn(line, "\n")] = '\0';
    char *tab = strchr(line, '\t');
    if (!tab) die("a line without a tab", NULL);
    *tab = '\0';
    PGconn *session = NULL;
    for (size_t i = 0; i < count && !session; ++i) {
      if (strcmp(databases[i], line) == 0) session = all[i].session;
    }
    databases[count] = strdup(line);
    all[count].session = session ? session : session_with(conninfo, line);
    all[count].sql = strdup(tab + 1);
    ++count;
  }
  free(line);
  fclose(file);
  return count;
}

int main(int argc, char **argv) {
  static struct statement all[STATEMENTS_MAX];
  if (argc != 3) {
    fputs("usage: floor CONNINFO FILE\n", stderr);
    return 2;
  }
  const size_t count = read_statements(argv[1], argv[2], all);
  char line[16];
  while (fgets(line, sizeof line, stdin)) {
    long rows = 0, bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      PGresult *result = PQexec(all[i].session, all[i].sql);
      if (PQresultStatus(result) != PGRES_TUPLES_OK) die(all[i].sql, all[i].session);
      rows += PQntuples(result);
      bytes += (long)PQresultMemorySize(result);
      PQclear(result);
    }
    printf("%ld %ld\n", rows, bytes);
    fflush(stdout);
  }
  return 0;
}
