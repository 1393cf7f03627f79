package main

import (
	"context"
	"fmt"
)

// serveOn prints commands to try, and ends with ctx or when a server fails.
func (t *tour) serveOn(ctx context.Context) error {
	ca, remove, err := t.ca.write()
	if err != nil {
		return err
	}
	defer remove()
	t.logs.SendTo(t.out)
	if err := t.printCommands(ca); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-t.failed:
		return err
	}
}

func (t *tour) printCommands(ca string) error {
	_, err := fmt.Fprintf(t.out, `
Now try it yourself; every call is logged below. The tokens are good for %.0[1]f minutes.

  CA=%[2]s
  ALICE='authorization: Bearer %[3]s'
  CAROL='authorization: Bearer %[4]s'

  curl --cacert $CA https://%[5]s/v1/books/1
  curl --cacert $CA -i https://%[5]s/v1/members/alice/orders/1
  curl --cacert $CA -H "$ALICE" https://%[5]s/v1/members/alice/orders/1
  curl --cacert $CA -H "$ALICE" https://%[5]s/v1/members/bob/orders/1
  curl --cacert $CA -H "$ALICE" https://%[5]s/members/alice/receipts/1
  curl --cacert $CA -H "$ALICE" https://%[5]s/admin/sales
  curl --cacert $CA -H "$CAROL" https://%[5]s/admin/sales
  curl --cacert $CA -H "$CAROL" -d '{"book":{"title":"Fledgling"}}' https://%[5]s/v1/books

  grpcurl -cacert $CA -H "$ALICE" %[6]s list
  grpcurl -cacert $CA -H "$ALICE" -d '{"member":"alice","id":"1"}' %[6]s %[7]s/GetOrder
  grpcurl -cacert $CA -H "$ALICE" -d '{"member":"bob","id":"1"}' %[6]s %[7]s/GetOrder
  grpcurl -cacert $CA -H "$ALICE" -d '{"member":"alice","id":"1"} {"member":"bob","id":"1"}' %[6]s %[7]s/TrackOrders
  grpcurl -cacert $CA -H "$CAROL" -d '{"member":"alice","id":"1"}' %[6]s %[7]s/DeleteOrder

Serving gRPC on %[6]s and HTTP on %[5]s; Ctrl-C ends it.
`, lifetime.Minutes(), ca, t.cast.alice.token, t.cast.carol.token, t.httpAddr, t.grpcAddr, "crosscut.examples.secureshop.v1.SecureShopService")
	return err
}
