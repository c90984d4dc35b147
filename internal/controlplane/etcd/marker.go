package etcd

import (
	"context"
	"encoding/json"
	"fmt"

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
}

// Adopt makes sure that the store and this server belong together, and returns the marker that holds. known is the
// cluster that this server has served before; empty on its first start. Two servers that start on an empty store at the
// same time agree on one marker, because it is created in a transaction.
func Adopt(ctx context.Context, client *clientv3.Client, mine Marker, known string) (Marker, error) {
	have, err := readMarker(ctx, client)
	if err != nil {
		return Marker{}, err
	}
	if have == nil {
		if known != "" {
			return Marker{}, fmt.Errorf("etcd is empty, but this server has served cluster %s: "+
				"restore a backup of its data; to begin anew instead, remove the data directory, "+
				"knowing that containers which are still running then belong to nobody", known)
		}
		if have, err = createMarker(ctx, client, mine); err != nil {
			return Marker{}, err
		}
	}

	if known != "" && have.Cluster != known {
		return Marker{}, fmt.Errorf("etcd holds the data of cluster %s, but this server belongs to cluster %s", have.Cluster, known)
	}
	for name, fingerprint := range mine.Keys {
		if have.Keys[name] != fingerprint {
			return Marker{}, fmt.Errorf("etcd holds the data of cluster %s, whose %s is not the one in this data directory: "+
				"copy the directories pki and secrets from a server of that cluster", have.Cluster, name)
		}
	}

	return *have, nil
}

func readMarker(ctx context.Context, client *clientv3.Client) (*Marker, error) {
	got, err := client.Get(ctx, markerKey)
	if err != nil {
		return nil, fmt.Errorf("read cluster marker from etcd: %w", err)
	}
	if len(got.Kvs) == 0 {
		return nil, nil
	}

	return decodeMarker(got.Kvs[0].Value)
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
		return &m, nil
	}

	return decodeMarker(got.Responses[0].GetResponseRange().Kvs[0].Value)
}

func decodeMarker(raw []byte) (*Marker, error) {
	var m Marker
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("decode cluster marker %q: %w", markerKey, err)
	}

	return &m, nil
}
