//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// redisImage is Debian's Redis. It keeps what it is told to when it is told to (SAVE), or with APPENDONLY=yes every write.
var redisImage = debianImage{
	reference: "dogker.test/redis:debian",
	asked:     "redis-server",
	packages:  regexp.MustCompile(`^redis-`).MatchString,
	files:     []string{"usr/bin/redis-*"},
	script:    "#!/bin/sh\nexec redis-server --dir /data --port 0 --unixsocket /tmp/redis.sock --save '' --appendonly ${APPENDONLY:-no} --appendfsync always\n",
	data:      "/data",
}

// postgresImage is Debian's PostgreSQL. Its cluster is small, has checksums, and is flushed at each commit.
var postgresImage = debianImage{
	reference: "dogker.test/postgresql:debian",
	asked:     "postgresql",
	packages:  regexp.MustCompile(`^(postgresql(-client)?-[0-9]+|tzdata)$`).MatchString,
	files: []string{
		"usr/lib/postgresql/*/bin/initdb", "usr/lib/postgresql/*/bin/postgres", "usr/lib/postgresql/*/bin/psql", "usr/lib/postgresql/*/bin/pgbench",
		"usr/lib/postgresql/*/bin/pg_dump", "usr/lib/postgresql/*/bin/pg_amcheck", "usr/lib/postgresql/*/bin/pg_checksums",
		"usr/lib/postgresql/*/lib/amcheck.so", "usr/lib/postgresql/*/lib/plpgsql.so", "usr/lib/postgresql/*/lib/dict_snowball.so",
		"usr/lib/postgresql/*/lib/utf8_and_*.so",
		"usr/share/postgresql/*/*.*", "usr/share/postgresql/*/timezonesets/Default", "usr/share/postgresql/*/tsearch_data/*.stop",
		"usr/share/postgresql/*/catalog_version",
		"usr/share/postgresql/*/extension/amcheck*", "usr/share/postgresql/*/extension/plpgsql*", "usr/share/zoneinfo/UTC", "usr/share/zoneinfo/Etc/UTC",
	},
	script: `#!/bin/sh
set -e
rm -rf /data/new
if [ ! -d /data/cluster ]; then
	initdb --pgdata /data/new --username postgres --auth trust --locale C --encoding UTF8 --data-checksums --wal-segsize 1
	mv /data/new /data/cluster
elif [ -n "$VERIFY" ]; then
	# Recover as after a power cut, stop cleanly, and read every page.
	echo | postgres --single -D /data/cluster postgres
	pg_checksums --check --pgdata /data/cluster
fi
exec postgres -D /data/cluster -c listen_addresses= -c unix_socket_directories=/tmp -c shared_buffers=16MB -c min_wal_size=4MB -c max_wal_size=16MB
`,
	data: "/data",
}

// on is a container that runs the image with its data in a Volume.
func on(image *debianImage, name, volume string, changes ...change) *v1alpha1.TenantContainer {
	return app(name, "v1", append([]change{func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Image = v1alpha1.Image(image.reference)
		tc.Spec.Volumes = []v1alpha1.VolumeMount{{Name: v1alpha1.DNSLabel(volume), MountPath: v1alpha1.AbsolutePath(image.data)}}
	}}, changes...)...)
}

// exec runs a command in a running task of the container, and returns what it has said.
func (n *tenant) exec(name string, command ...string) (string, error) {
	node, id, err := n.at(name)
	if err != nil {
		return "", err
	}
	ctx, cancel := contextFor(soon)
	defer cancel()

	made, err := node.Docker.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return "", err
	}
	conn, err := node.Docker.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	var out, complaints bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &complaints, conn.Reader); err != nil {
		return "", err
	}
	ended, err := node.Docker.ContainerExecInspect(ctx, made.ID)
	if err == nil && ended.ExitCode != 0 {
		err = fmt.Errorf("%q ends with %d: %.500s %.500s", command, ended.ExitCode, out.String(), complaints.String())
	}

	return strings.TrimSpace(out.String()), err
}

// begin starts a command in a running task of the container, and leaves it to itself.
func (n *tenant) begin(name string, command ...string) {
	n.t.Helper()

	node, id, err := n.at(name)
	if err != nil {
		n.t.Fatal(err)
	}
	made, err1 := node.Docker.ContainerExecCreate(n.t.Context(), id, container.ExecOptions{Cmd: command})
	if err := errors.Join(err1, node.Docker.ContainerExecStart(n.t.Context(), made.ID, container.ExecStartOptions{Detach: true})); err != nil {
		n.t.Fatalf("begin %q in %q: %v", command, name, err)
	}
}

// must runs a command until it succeeds: a container may be frozen, or its database may be starting.
func (n *tenant) must(name string, command ...string) (out string) {
	n.t.Helper()

	await(n.t, atLast, fmt.Sprintf("%.80q in %q", command, name), func() (err error) {
		out, err = n.exec(name, command...)

		return err
	})

	return out
}

func redisCLI(args ...string) []string {
	return append([]string{"redis-cli", "-e", "-s", "/tmp/redis.sock"}, args...)
}

// redisWrite is one transaction, and redisRead is "whole N" when everything is there that the first N have written.
const (
	redisWrite = "local n = redis.call('INCR', 'n') redis.call('RPUSH', 'log', n) redis.call('INCRBY', 'sum', n) return n"
	redisRead  = "local n, log, sum = tonumber(redis.call('GET', 'n') or 0), redis.call('LRANGE', 'log', 0, -1), 0 " +
		"for i, v in ipairs(log) do if tonumber(v) ~= i then return 'hole at ' .. i end sum = sum + i end " +
		"if n ~= #log or sum ~= tonumber(redis.call('GET', 'sum') or 0) then return 'log of ' .. #log .. ' after ' .. n end return 'whole ' .. n"
)

// redisWhole holds a Redis against its own invariants, and returns how many transactions it has.
func (n *tenant) redisWhole(name string) (count int) {
	n.t.Helper()

	says := n.must(name, redisCLI("EVAL", redisRead, "0")...)
	if _, err := fmt.Sscanf(says, "whole %d", &count); err != nil {
		n.t.Fatalf("Redis %q says %q", name, says)
	}

	return count
}

// redisGrows waits until that many transactions more are in a Redis.
func (n *tenant) redisGrows(name string, by int) {
	n.t.Helper()

	was := n.redisWhole(name)
	await(n.t, atLast, fmt.Sprintf("%d more transactions are in %q", by, name), func() error {
		if now := n.redisWhole(name); now < was+by {
			return fmt.Errorf("there are %d, and were %d", now, was)
		}
		time.Sleep(glance)

		return nil
	})
}

func sql(database string, statements ...string) []string {
	command := []string{"psql", "-h", "/tmp", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-AtX", "-d", database}
	for _, s := range statements {
		command = append(command, "-c", s)
	}

	return command
}

// pgbenchRuns makes the tables of pgbench, numbers its transactions, and has four clients write 200 transactions a second.
func (n *tenant) pgbenchRuns(name string) {
	n.t.Helper()

	n.must(name, sql("postgres", "SELECT 1")...)
	n.must(name, "pgbench", "-h", "/tmp", "-U", "postgres", "--initialize", "--quiet", "postgres")
	n.must(name, sql("postgres", "CREATE EXTENSION amcheck", "CREATE TABLE hooks (at timestamptz DEFAULT now())", "ALTER TABLE pgbench_history ADD n bigserial")...)
	n.begin(name, "pgbench", "-h", "/tmp", "-U", "postgres", "--no-vacuum", "--client", "4", "--rate", "200", "--time", "3600", "postgres")
	await(n.t, soon, "transactions are written", func() error {
		if count := n.transactions(name, "postgres"); count < 50 {
			return fmt.Errorf("there are %d", count)
		}

		return nil
	})
}

// transactions demands that all four tables of pgbench add up, and returns how many there were.
func (n *tenant) transactions(name, database string) (count int) {
	n.t.Helper()

	says := n.must(name, sql(database, "SELECT count(*), coalesce(sum(delta), 0) = (SELECT sum(abalance) FROM pgbench_accounts) AND coalesce(sum(delta), 0) = (SELECT sum(tbalance) FROM pgbench_tellers)"+
		" AND coalesce(sum(delta), 0) = (SELECT sum(bbalance) FROM pgbench_branches) FROM pgbench_history")...)
	if _, err := fmt.Sscanf(says, "%d|t", &count); err != nil || !strings.HasSuffix(says, "|t") {
		n.t.Fatalf("PostgreSQL %q: the transactions and whether they add up: %s", name, says)
	}

	return count
}

// committed notes in the database itself which transactions are committed now, and returns how many.
func (n *tenant) committed(name, as string) string {
	n.t.Helper()

	n.must(name, sql("postgres", "CREATE TABLE "+as+" AS SELECT n FROM pgbench_history")...)

	return n.must(name, sql("postgres", "SELECT count(*) FROM "+as)...)
}

// wantCommitted demands that all of them are there.
func (n *tenant) wantCommitted(name, as, count string) {
	n.t.Helper()

	if got := n.must(name, sql("postgres", "SELECT count(*) FROM "+as+" JOIN pgbench_history USING (n)")...); got != count {
		n.t.Errorf("PostgreSQL %q has %s of the %s transactions that were committed before the snapshot was begun", name, got, count)
	}
}

// redisLogs is an error until Redis has written its log anew.
func (n *tenant) redisLogs() error {
	says, err := n.exec("db", redisCLI("INFO", "persistence")...)
	if err == nil && (!strings.Contains(says, "aof_enabled:1") || !strings.Contains(says, "aof_rewrite_in_progress:0") || !strings.Contains(says, "aof_rewrite_scheduled:0")) {
		err = errors.New(says)
	}

	return err
}
