package hostile_test

// methodRows are about which method a request is: H01 to H10, without H06, which
// needs a server of its own.
func methodRows() []row {
	asReader := []string{bearer(reader())}
	lost := func(name, doors, path string, want outcome, at map[door]outcome) row {
		return row{name: name, call: remove, doors: doors, path: path, fields: asReader, want: want, at: at, noGood: true}
	}
	items := "/" + serviceName + "/"
	rows := []row{
		lost("H01 path without a slash", "GS", "POST "+serviceName+"/Delete", malformedPath, map[door]outcome{mounted: protocolError}),
		lost("H01 path without a slash, HTTP", "RMDIP", "GET v1/items/1", outcome{status: 400, silent: true}, nil),
		lost("H02 doubled slash", "GS", "POST /"+items+"Delete", unknownMethod, nil),
		lost("H02 doubled slash, REST", "RDI", "DELETE //v1/items/1", unknownMethod, nil),
		lost("H02 doubled slash below a mux", "M", "DELETE //v1/items/1", redirected, nil),
		lost("H02 doubled slash, plain", "P", "GET //admin/stats", redirected, nil),
		lost("H03 trailing slash", "GS", "POST "+items+"Delete/", unknownMethod, nil),
		lost("H03 method in lower case", "GS", "POST "+items+"delete", unknownMethod, nil),
		lost("H03 all in upper case", "GS", "POST /CROSSCUT.HOSTILE.V1.ITEMSSERVICE/DELETE", unknownMethod, nil),
		lost("H03 trailing slash, REST", "RMDI", "DELETE /v1/items/1/", unknownMethod, nil),
		lost("H03 upper case, REST", "RDI", "DELETE /V1/items/1", unknownMethod, nil),
		lost("H03 upper case below a mux", "M", "DELETE /V1/items/1", unknownMethod, nil),
		{
			name: "H04 encoded slash, nobody", call: remove, doors: "GS", path: "POST /" + serviceName + "%2FDelete",
			want: unauthenticated, at: map[door]outcome{wire: malformedPath},
		},
		{
			name: "H04 encoded letter, nobody", call: remove, doors: "GS", path: "POST " + items + "%44elete",
			want: unauthenticated, at: map[door]outcome{wire: unknownMethod},
		},
		{
			name: "H04 encoded slash, reader", call: remove, doors: "GS", path: "POST /" + serviceName + "%2FDelete", fields: asReader,
			want: denied, at: map[door]outcome{wire: malformedPath},
		},
		{
			name: "H04 encoded letter, reader", call: remove, doors: "GS", path: "POST " + items + "%44elete", fields: asReader,
			want: denied, at: map[door]outcome{wire: unknownMethod},
		},
		{
			name: "H05 query on an RPC", call: remove, doors: "GS", path: "POST " + items + "Delete?public=1", fields: asReader,
			want: denied, at: map[door]outcome{wire: unknownMethod},
		},
		{name: "H07 undeclared, nobody", call: legacy, want: denied, noGood: true},
		{name: "H07 undeclared, administrator", call: legacy, want: denied, noGood: true, fields: []string{bearer(admin())}},
		{name: "H08 undeclared plain route", call: legacy, doors: "P", want: denied, noGood: true, fields: []string{bearer(admin())}},
	}
	for _, field := range []string{"X-HTTP-Method-Override: DELETE", "x-http-method-override: DELETE", "X-HTTP-Method-Override: delete"} {
		rows = append(rows, row{
			name: "H09 " + field, call: remove, doors: "RMDI", path: "POST /v1/items/1", want: wrongMethod, noGood: true,
			fields: []string{bearer(reader()), "Content-Type: application/x-www-form-urlencoded", field},
		})
	}
	return append(rows, dotRows()...)
}

// dotRows are H10. A ServeMux redirects the literal form to the path that it means.
func dotRows() []row {
	rows := []row{
		{name: "H10 the clean path", call: get, doors: "RMDI", path: "GET /v1/items/1", want: unauthenticated},
		{name: "H10 ../items/1", call: file, doors: "RDI", path: "GET /v1/files/../items/1", want: badRequest, noGood: true},
		{name: "H10 ../items/1 below a mux", call: file, doors: "M", path: "GET /v1/files/../items/1", want: redirected, noGood: true},
		{name: "H10 ../items/1, plain", call: file, doors: "P", path: "GET /plain/files/../items/1", want: redirected, noGood: true},
	}
	for _, path := range []string{"%2e%2e/items/1", "..%2fitems/1", "a/%2E%2e", "a%2F..%2fb"} {
		rows = append(rows,
			row{name: "H10 " + path, call: file, doors: "RMDI", path: "GET /v1/files/" + path, want: badRequest, noGood: true},
			row{name: "H10 plain " + path, call: file, doors: "P", path: "GET /plain/files/" + path, want: badRequest, noGood: true},
		)
	}
	return rows
}
