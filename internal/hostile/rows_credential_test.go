package hostile_test

import (
	"encoding/base64"
	"strings"
)

// credentialRows are about how a credential is presented: H11 to H22, without H13 and
// H15, which look at what the handler sees.
func credentialRows() []row {
	two := func(first, second string) []string { return []string{bearer(first), bearer(second)} }
	asAdmin := base64.StdEncoding.EncodeToString([]byte("Bearer " + admin()))
	rows := []row{
		{name: "H11 no credential", call: get, want: unauthenticated},
		{name: "H11 no credential, administration", call: remove, want: unauthenticated},
		{name: "H12 reader, administrator", call: remove, fields: two(reader(), admin()), often: true, want: unauthenticated},
		{name: "H12 administrator, reader", call: remove, fields: two(admin(), reader()), often: true, want: unauthenticated},
		{name: "H12 administrator twice", call: remove, fields: two(admin(), admin()), often: true, want: unauthenticated},
		{
			name: "H13 metadata beside the header", call: remove, doors: "RMDIP", often: true, want: denied,
			fields: []string{bearer(reader()), "Grpc-Metadata-Authorization: Bearer " + admin()},
		},
		{
			name: "H14 metadata instead of the header", call: get, doors: "RMDIP", often: true, want: unauthenticated,
			fields: []string{"Grpc-Metadata-Authorization: Bearer " + reader()},
		},
		{name: "H16 scheme in mixed case", call: get, doors: "GSRMDP", fields: []string{"authorization: bEaReR " + reader()}, often: true, want: allowed},
		{name: "H17 joined by a comma", call: get, fields: []string{bearer(reader() + ", Bearer " + admin())}, often: true, want: unauthenticated},
		{name: "H17 joined without a blank", call: get, fields: []string{bearer(reader() + ",Bearer " + admin())}, often: true, want: unauthenticated},
		{name: "H19 binary twin", call: remove, fields: []string{"authorization-bin: " + asAdmin}, often: true, want: unauthenticated},
		{name: "H19 binary twin as metadata", call: remove, doors: "RMDI", fields: []string{"Grpc-Metadata-Authorization-Bin: " + asAdmin}, often: true, want: unauthenticated},
		{name: "H21 no scheme", call: get, fields: []string{"authorization: " + reader()}, want: unauthenticated},
		{name: "H21 basic", call: get, fields: []string{"authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("alice:correct horse"))}, want: unauthenticated},
		{name: "H21 scheme alone", call: get, fields: []string{"authorization: Bearer"}, want: unauthenticated},
		{name: "H21 scheme and a blank", call: get, fields: []string{"authorization: Bearer "}, want: unauthenticated},
		{name: "H21 empty", call: get, fields: []string{"authorization: "}, want: unauthenticated},
	}
	rows = append(rows, queryRows()...)
	return append(rows, keyRows()...)
}

// queryRows are H18: a token where tokens do not belong, which is in no log either.
func queryRows() []row {
	hide := func(a *ask) { a.target += "?access_token=" + reader() }
	return []row{
		{name: "H18 token in the query", call: get, doors: "SRMDIP", alter: hide, often: true, want: unauthenticated},
		{name: "H18 no such path", call: get, doors: "RMDIP", path: "GET /nowhere", alter: hide, often: true, want: unknownMethod, noGood: true},
	}
}

// keyRows are H22.
func keyRows() []row {
	key, _ := serviceKey()
	last := byte('A')
	if key[len(key)-1] == last {
		last = 'B'
	}
	var rows []row
	for name, nearly := range map[string]string{
		"last byte changed": key[:len(key)-1] + string(last),
		"one byte short":    key[:len(key)-1],
		"in lower case":     strings.ToLower(key),
		"in upper case":     strings.ToUpper(key),
		"one byte long":     key + "A",
	} {
		rows = append(rows, row{
			name: "H22 " + name, call: get, fields: []string{"x-api-key: " + nearly}, want: unauthenticated,
			good: []string{"x-api-key: " + key}, often: true,
		})
	}
	return append(rows, row{name: "H22 exactly", call: get, doors: "GSRMDP", fields: []string{"x-api-key: " + key}, want: allowed})
}
