// Package billing puts what takes and gives back payments to the test, put together as the server does it: the controllers of
// TopUps and Refunds, each in its engine, the ledger on a real etcd, the adapter for Midtrans and its webhook, and a Midtrans
// in memory that can be made to do what no real one does on demand. Only the API server is a model.
//
//	go test ./test/billing                  all of it, with some hundred random stories
//	DOGKER_LONG=1 go test ./test/billing    with ten thousand of them, and every call that can fail
package billing
