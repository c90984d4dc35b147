package etcd

import (
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// markerKey lies outside the prefix of the API's objects.
const markerKey = "/dogker/cluster"

// Marker says to which cluster the data in a store belong.
type Marker struct {
	// Cluster identifies the cluster.
	Cluster string `json:"cluster"`
	// Keys are fingerprints of the keys without which the data, or the tokens and certificates that its users hold,
	// are worthless.
	Keys map[string]string `json:"keys"`
	// DigestKey is the fingerprint of the key by which content is named in Swarm. With another key the data are as good
	// as before, but all that hangs on names is made anew.
	DigestKey string `json:"digestKey,omitempty"`
	// Restores counts how often the store was put back to an earlier time. What Swarm carries of an object that was changed
	// after the backup is newer by its generation, and must not be taken for what a later leader has written.
	Restores int64 `json:"restores,omitempty"`

	// revision of etcd at which it was read.
	revision int64
}

// Claim is what a server brings to a store.
type Claim struct {
	// Marker as this server would write it into an empty store.
	Marker
	// Known is the cluster that this server has served before; empty on its first start.
	Known string
	// Alone is true when no other server can reach the store.
	Alone bool
}

// Adoption is what a server finds in a store that it may serve.
type Adoption struct {
	// Cluster is the cluster whose data it holds.
	Cluster string
	// Restores counts how often the store was put back to an earlier time.
	Restores int64
	// NewDigestKey is true when the server's digest key has just taken the place of another one.
	NewDigestKey bool
}

// Adopt makes sure that the store and this server belong together. Two servers that start on an empty store at the same
// time agree on one marker, because it is created in a transaction.
func Adopt(ctx context.Context, client *clientv3.Client, mine Claim) (Adoption, error) {
	have, err := readMarker(ctx, client)
	if err != nil {
		return Adoption{}, err
	}
	if have == nil {
		if mine.Known != "" {
			return Adoption{}, fmt.Errorf("etcd is empty, but this server has served cluster %s: "+
				"restore a backup of its data; to begin anew instead, remove the data directory, "+
				"knowing that containers which are still running then belong to nobody", mine.Known)
		}
		if have, err = createMarker(ctx, client, mine.Marker); err != nil {
			return Adoption{}, err
		}
	}

	if mine.Known != "" && have.Cluster != mine.Known {
		return Adoption{}, fmt.Errorf("etcd holds the data of cluster %s, but this server belongs to cluster %s", have.Cluster, mine.Known)
	}
	for name, fingerprint := range mine.Keys {
		if have.Keys[name] != fingerprint {
			return Adoption{}, foreignKey(have, name)
		}
	}

	return adoptDigestKey(ctx, client, have, mine)
}

func foreignKey(have *Marker, name string) error {
	return fmt.Errorf("etcd holds the data of cluster %s, whose %s is not the one in this data directory: "+
		"copy the directories pki and secrets from a server of that cluster", have.Cluster, name)
}

// adoptDigestKey takes a digest key that was lost or replaced. Servers that share a store must have the same, or each would
// make anew what the other has made, whenever it leads.
func adoptDigestKey(ctx context.Context, client *clientv3.Client, have *Marker, mine Claim) (Adoption, error) {
	if have.DigestKey == mine.DigestKey {
		return Adoption{Cluster: have.Cluster, Restores: have.Restores}, nil
	}
	if have.DigestKey != "" && !mine.Alone {
		return Adoption{}, foreignKey(have, "digest key")
	}

	changed := *have
	changed.DigestKey = mine.DigestKey

	done, err := replaceMarker(ctx, client, changed)
	if err != nil {
		return Adoption{}, err
	}
	if !done {
		// Another server has just done the same, with the same key or with another.
		return Adopt(ctx, client, mine)
	}

	return Adoption{Cluster: have.Cluster, Restores: have.Restores, NewDigestKey: have.DigestKey != ""}, nil
}

func readMarker(ctx context.Context, client *clientv3.Client) (*Marker, error) {
	got, err := client.Get(ctx, markerKey)
	if err != nil {
		return nil, fmt.Errorf("read cluster marker from etcd: %w", err)
	}
	if len(got.Kvs) == 0 {
		return nil, nil
	}

	return decodeMarker(got.Kvs[0])
}

// createMarker writes the marker if there is still none, and returns the one that is there then.
func createMarker(ctx context.Context, client *clientv3.Client, m Marker) (*Marker, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode cluster marker: %w", err)
	}

	got, err := client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(markerKey), "=", 0)).
		Then(clientv3.OpPut(markerKey, string(raw))).
		Else(clientv3.OpGet(markerKey)).
		Commit()
	if err != nil {
		return nil, fmt.Errorf("write cluster marker to etcd: %w", err)
	}
	if got.Succeeded {
		m.revision = got.Header.Revision

		return &m, nil
	}

	return decodeMarker(got.Responses[0].GetResponseRange().Kvs[0])
}

// replaceMarker writes the marker, unless somebody has written it since it was read.
func replaceMarker(ctx context.Context, client *clientv3.Client, m Marker) (bool, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return false, fmt.Errorf("encode cluster marker: %w", err)
	}

	got, err := client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(markerKey), "=", m.revision)).
		Then(clientv3.OpPut(markerKey, string(raw))).
		Commit()
	if err != nil {
		return false, fmt.Errorf("write cluster marker to etcd: %w", err)
	}

	return got.Succeeded, nil
}

func decodeMarker(kv *mvccpb.KeyValue) (*Marker, error) {
	m := Marker{revision: kv.ModRevision}
	if err := json.Unmarshal(kv.Value, &m); err != nil {
		return nil, fmt.Errorf("decode cluster marker %q: %w", markerKey, err)
	}

	return &m, nil
}
