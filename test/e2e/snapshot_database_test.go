//go:build e2e

package e2e

import (
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestSnapshotOfADatabase takes snapshots of databases while they are written to, and restores them on another node, where
// the database itself says whether it is whole, and has everything that was committed before the snapshot was begun.
func TestSnapshotOfADatabase(t *testing.T) {
	t.Parallel()
	c := cellWithAgents(t, 2)

	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		redisImage.on(t, c.lab.Nodes...)
		redisStory(c.namespace(t, "redis"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		postgresImage.on(t, c.lab.Nodes...)
		postgresStory(c.namespace(t, "postgres"))
	})
}

// redisStory: by a hook that has Redis save itself, while it writes on; and frozen, with every write in its log.
func redisStory(n *tenant) {
	n.t.Cleanup(n.diagnoseFailure)
	dir := n.archives(n.t, n.name)
	data := volumeNamed("data", "node1")
	data.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Hooks: &v1alpha1.SnapshotHooks{Pre: hook(redisCLI("SAVE")...), Post: hook(redisCLI("INCR", "after")...)}}
	n.create(data)
	n.run(on(&redisImage, "db", "data"))
	n.must("db", redisCLI("PING")...)
	n.begin("db", redisCLI("-r", "1000000000", "EVAL", redisWrite, "0")...)
	n.redisGrows("db", 100)
	tasks := n.taskIDs("db")

	before := n.redisWhole("db")
	n.save("hooked", "data", n.name)
	if got := n.must("db", redisCLI("GET", "after")...); got != "1" {
		n.t.Errorf("the post hook ran %s times, want once", got)
	}
	n.create(restoring("elsewhere", "node2", "hooked"))
	n.run(on(&redisImage, "elsewhere", "elsewhere"))
	n.wantNodes("elsewhere", map[string]int{"node2": 1})
	n.wantSince("elsewhere", before)
	n.must("elsewhere", "redis-check-rdb", "/data/dump.rdb")
	if got := n.must("elsewhere", redisCLI("GET", "after")...); got != "" {
		n.t.Errorf("the post hook had run %q times when the data was read, want never", got)
	}

	n.must("db", redisCLI("CONFIG", "SET", "appendonly", "yes")...)
	await(n.t, atLast, "Redis has all its writes in a log", n.redisLogs)
	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.Snapshots = &v1alpha1.VolumeSnapshots{Quiesce: v1alpha1.QuiescePause} })
	before = n.redisWhole("db")
	n.save("frozen", "data", n.name)
	n.redisGrows("db", 50)
	n.create(restoring("again", "node1", "frozen"))
	n.run(on(&redisImage, "again", "again", env("APPENDONLY", "yes")))
	n.wantSince("again", before)
	n.must("again", "redis-check-aof", "/data/appendonlydir/appendonly.aof.manifest")

	if now := n.taskIDs("db"); !maps.Equal(now, tasks) {
		n.t.Errorf("tasks of the database: %v before, %v after its snapshots", tasks, now)
	}
	n.endsTidily(dir)
}

// postgresStory: frozen, with a dump beside its files; the files recover as after a power cut, and the dump can be read.
func postgresStory(n *tenant) {
	n.t.Cleanup(n.diagnoseFailure)
	dir := n.archives(n.t, n.name)
	data := volumeNamed("data", "node2")
	data.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Quiesce: v1alpha1.QuiescePause, Hooks: &v1alpha1.SnapshotHooks{
		Pre:  hook("pg_dump", "-h", "/tmp", "-U", "postgres", "--file", "/data/dump.sql", "postgres"),
		Post: hook(sql("postgres", "INSERT INTO hooks DEFAULT VALUES")...),
	}}
	n.create(data)
	n.run(on(&postgresImage, "db", "data"))
	n.pgbenchRuns("db")
	tasks := n.taskIDs("db")

	before := n.committed("db", "before")
	n.save("frozen", "data", n.name)
	if got := n.must("db", sql("postgres", "SELECT count(*) FROM hooks")...); got != "1" {
		n.t.Errorf("the post hook ran %s times, want once", got)
	}
	n.create(restoring("elsewhere", "node1", "frozen"))
	n.run(on(&postgresImage, "elsewhere", "elsewhere", env("VERIFY", "yes")))
	n.wantNodes("elsewhere", map[string]int{"node1": 1})
	n.transactions("elsewhere", "postgres")
	n.wantCommitted("elsewhere", "before", before)
	n.must("elsewhere", "pg_amcheck", "-h", "/tmp", "-U", "postgres", "--all", "--heapallindexed")
	if got := n.must("elsewhere", sql("postgres", "SELECT count(*) FROM hooks")...); got != "0" {
		n.t.Errorf("the post hook had run %s times when the data was read, want never", got)
	}
	n.must("elsewhere", sql("template1", "CREATE DATABASE dumped")...)
	n.must("elsewhere", append(sql("dumped"), "--file", "/data/dump.sql")...)
	n.transactions("elsewhere", "dumped")

	written := n.transactions("db", "postgres")
	await(n.t, soon, "it is written to again", func() error {
		return wantf(n.transactions("db", "postgres") > written, true, "more transactions than %d", written)
	})
	if now := n.taskIDs("db"); !maps.Equal(now, tasks) {
		n.t.Errorf("tasks of the database: %v before, %v after its snapshot", tasks, now)
	}
	n.endsTidily(dir)
}

func hook(command ...string) *v1alpha1.SnapshotHook {
	h := &v1alpha1.SnapshotHook{TimeoutSeconds: new(int32(60))}
	for _, c := range command {
		h.Command = append(h.Command, v1alpha1.Text(c))
	}

	return h
}

// restoring is a Volume that begins with what is in a snapshot.
func restoring(name, node, snapshot string) *v1alpha1.Volume {
	v := volumeNamed(name, node)
	// No more is restored than it may hold.
	v.Spec.Size, v.Spec.RestoreFrom = resource.MustParse("1Gi"), v1alpha1.ObjectName(snapshot)

	return v
}

// wantSince demands that a restored Redis has what was written before.
func (n *tenant) wantSince(name string, before int) {
	n.t.Helper()

	n.must(name, redisCLI("PING")...)
	if now := n.redisWhole(name); now < before {
		n.t.Errorf("Redis %q has %d transactions, and %d were written before the snapshot was begun", name, now, before)
	}
}
