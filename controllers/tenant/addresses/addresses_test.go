package addresses_test

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant/addresses"
)

func pool(t testing.TB, s string) addresses.Pool {
	t.Helper()

	p, err := addresses.ParsePool(s)
	if err != nil {
		t.Fatal(err)
	}

	return p
}

func prefixes(s ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range s {
		out = append(out, netip.MustParsePrefix(p))
	}

	return out
}

func TestParsePool(t *testing.T) {
	cases := map[string]struct {
		reason, pool string
		ok           bool
	}{
		"Default":    {"The default of the flag.", "10.64.0.0/10", true},
		"Smallest":   {"One tenant of the largest size fits.", "192.168.16.0/20", true},
		"NotMasked":  {"Somebody who writes one address means something else.", "10.64.0.1/10", false},
		"IPv6":       {"Swarm's overlay networks are IPv4.", "fd00::/8", false},
		"TooSmall":   {"The largest tenant would not fit.", "10.0.0.0/21", false},
		"TooLarge":   {"No private range is larger than a /8.", "8.0.0.0/7", false},
		"NoRange":    {"Nonsense.", "ten", false},
		"Empty":      {"Nothing.", "", false},
		"TooManyBit": {"No such length.", "10.0.0.0/33", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := addresses.ParsePool(tc.pool); (err == nil) != tc.ok {
				t.Errorf("%s\nParsePool(%q) = %v", tc.reason, tc.pool, err)
			}
		})
	}
}

func TestNext(t *testing.T) {
	cases := map[string]struct {
		reason string
		bits   int
		taken  []netip.Prefix
		after  string
		want   string
	}{
		"First":       {reason: "An empty pool begins at its beginning.", bits: 24, want: "10.64.0.0/24"},
		"AfterOther":  {reason: "What is taken is not given again.", bits: 24, taken: prefixes("10.64.0.0/24"), want: "10.64.1.0/24"},
		"BehindLast":  {reason: "What has come back rests while there is other room.", bits: 24, after: "10.64.5.0", want: "10.64.5.0/24"},
		"Around":      {reason: "At the end of the pool it begins anew.", bits: 24, taken: prefixes("10.64.15.0/24"), after: "10.64.15.0", want: "10.64.0.0/24"},
		"Aligned":     {reason: "A subnet begins at a multiple of its size.", bits: 22, taken: prefixes("10.64.0.0/26"), want: "10.64.4.0/22"},
		"Gap":         {reason: "A small one fits where a large one does not.", bits: 26, taken: prefixes("10.64.0.0/26", "10.64.0.128/25"), want: "10.64.0.64/26"},
		"Foreign":     {reason: "A network that is larger than the pool takes all of it.", bits: 24, taken: prefixes("10.0.0.0/8")},
		"Elsewhere":   {reason: "What lies outside takes nothing.", bits: 24, taken: prefixes("172.17.0.0/16", "fd00::/64"), want: "10.64.0.0/24"},
		"OutsideHint": {reason: "A place to begin that is not in the pool is none.", bits: 24, after: "192.168.0.0", want: "10.64.0.0/24"},
		"Full":        {reason: "Nothing is left.", bits: 20, taken: prefixes("10.64.7.0/24")},
		"TooLarge":    {reason: "More than there is.", bits: 19},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var after netip.Addr
			if tc.after != "" {
				after = netip.MustParseAddr(tc.after)
			}

			got, ok := pool(t, "10.64.0.0/20").Next(tc.bits, tc.taken, after)
			if ok != (tc.want != "") || ok && got.String() != tc.want {
				t.Errorf("%s\ngot %s %v, want %q", tc.reason, got, ok, tc.want)
			}
		})
	}
}

// TestNeverTwice lets tenants come and go at random: no address is ever two tenants', none lies outside the pool, and a
// pool that says it is full is.
func TestNeverTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := addresses.ParsePool("10.64.0.0/18")
		if err != nil {
			t.Fatal(err)
		}

		foreign := prefixes("10.64.9.0/24", "10.64.32.0/23")
		held := slices.Clone(foreign)

		var last netip.Addr

		t.Repeat(map[string]func(*rapid.T){
			"come": func(t *rapid.T) {
				bits := rapid.IntRange(addresses.Largest, addresses.Smallest).Draw(t, "bits")

				got, ok := p.Next(bits, held, last)
				if !ok {
					for _, candidate := range subnets(bits) {
						if !slices.ContainsFunc(held, candidate.Overlaps) {
							t.Fatalf("full, but %s is free", candidate)
						}
					}

					return
				}

				if got.Bits() != bits || got != got.Masked() || !p.Contains(got) {
					t.Fatalf("got %s of %s for /%d", got, p, bits)
				}
				if i := slices.IndexFunc(held, got.Overlaps); i >= 0 {
					t.Fatalf("%s overlaps with %s, which is taken", got, held[i])
				}

				held, last = append(held, got), addresses.End(got)
			},
			"go": func(t *rapid.T) {
				if len(held) == len(foreign) {
					t.Skip("nobody is here")
				}

				i := rapid.IntRange(len(foreign), len(held)-1).Draw(t, "who")
				held = slices.Delete(held, i, i+1)
			},
		})
	})
}

// subnets are all subnets of 10.64.0.0/18 with that length.
func subnets(bits int) []netip.Prefix {
	var out []netip.Prefix

	a := netip.MustParseAddr("10.64.0.0")
	for p := netip.PrefixFrom(a, bits); netip.MustParsePrefix("10.64.0.0/18").Contains(p.Addr()); p = netip.PrefixFrom(addresses.End(p), bits) {
		out = append(out, p)
	}

	return out
}

func TestBits(t *testing.T) {
	quota := func(containers, replicas int64) v1alpha1.Quota {
		return v1alpha1.Quota{Containers: &containers, Replicas: &replicas}
	}

	cases := map[string]struct {
		reason string
		quota  v1alpha1.Quota
		nodes  int
		want   int
	}{
		"Unlimited": {"Without a limit on replicas, what Swarm itself would give.", v1alpha1.Quota{}, 1, 24},
		"Tiny":      {"There is always room for a rollout on several nodes.", quota(1, 1), 1, 26},
		"Small":     {"40 replicas twice, 20 virtual IPs, 17 nodes: 117 of 125 would be low.", quota(20, 40), 1, 24},
		"Medium":    {"500 replicas.", quota(200, 500), 3, 21},
		"Huge":      {"More than Swarm handles is not given.", quota(100000, 1000000), 100, 20},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := addresses.Bits(tc.quota, tc.nodes); got != tc.want {
				t.Errorf("%s\n/%d, want /%d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestQuotaNeverFillsItsSubnet: who uses all of his quota, in the middle of a rollout of everything, on all nodes, is not
// told that his addresses run out; unless the largest subnet there is would be too small.
func TestQuotaNeverFillsItsSubnet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		replicas := rapid.Int64Range(0, 3000).Draw(t, "replicas")
		containers := rapid.Int64Range(0, 3000).Draw(t, "containers")
		nodes := rapid.IntRange(1, 64).Draw(t, "nodes")

		bits := addresses.Bits(v1alpha1.Quota{Replicas: &replicas, Containers: &containers}, nodes)
		usable := addresses.Usable(netip.PrefixFrom(netip.MustParseAddr("10.64.0.0"), bits))
		used := int(2*replicas+min(containers, replicas)) + nodes

		if bits > addresses.Largest && addresses.Low(used, usable) {
			t.Fatalf("%d of %d addresses of a /%d are used by the quota itself", used, usable, bits)
		}
	})
}
