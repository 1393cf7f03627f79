package grpcadapter

import (
	"context"
	"fmt"
	"reflect"

	"google.golang.org/grpc"
)

// This file reads, by reflection, what grpc-go knows and does not tell. It never
// changes anything, and every reader has an answer for a field that is gone: the
// one that keeps calls guarded. The tests name each field.

// inspected is what a list of grpc.ServerOptions sets.
type inspected struct {
	unary, stream bool // interceptors
	outermost     bool // a grpc.StreamInterceptor, which runs before chained ones
	unknown       bool // an unknown-service handler
	codec         bool // one codec for every message
	problem       error
}

// inspect applies opts to a server that is thrown away.
func inspect(opts []grpc.ServerOption) inspected {
	probe := grpc.NewServer(opts...)
	defer probe.Stop()
	set := reflect.ValueOf(probe).Elem().FieldByName("opts")
	var in inspected
	in.unary, in.problem = isSet(set, "unaryInt", in.problem)
	in.stream, in.problem = isSet(set, "streamInt", in.problem)
	in.unknown, in.problem = isSet(set, "unknownStreamDesc", in.problem)
	in.codec, in.problem = isSet(set, "codec", in.problem)
	in.outermost = in.stream && refusesStreamInterceptor(opts)
	return in
}

// forcesCodec tells whether server uses one codec for every message.
func forcesCodec(server *grpc.Server) bool {
	forced, _ := isSet(reflect.ValueOf(server).Elem().FieldByName("opts"), "codec", nil)
	return forced
}

func isSet(opts reflect.Value, field string, problem error) (bool, error) {
	if opts.Kind() == reflect.Struct {
		switch f := opts.FieldByName(field); f.Kind() {
		case reflect.Func, reflect.Pointer, reflect.Interface:
			return !f.IsNil(), problem
		}
	}
	if problem == nil {
		problem = fmt.Errorf("crosscut: this version of grpc-go does not tell which options are set (no field %q); use the version that crosscut was released for", field)
	}
	return true, problem
}

// refusesStreamInterceptor tells whether opts hold a grpc.StreamInterceptor:
// grpc-go panics on a second one.
func refusesStreamInterceptor(opts []grpc.ServerOption) (refused bool) {
	defer func() { refused = recover() != nil }()
	second := grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		return next(srv, ss)
	})
	grpc.NewServer(append(opts[:len(opts):len(opts)], second)...).Stop()
	return false
}

// insideServer is the *grpc.Server that answers a call, as far as reflection
// shows it. The zero insideServer is one that could not be found.
type insideServer struct{ v reflect.Value }

// serverIn finds the server in the context that grpc-go made for a call.
func serverIn(ctx context.Context) (found insideServer) {
	defer func() {
		if recover() != nil { // a context of a shape nobody foresaw
			found = insideServer{}
		}
	}()
	v := reflect.ValueOf(ctx)
	for {
		for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() != reflect.Struct {
			return insideServer{}
		}
		value := v.FieldByName("val")
		if value.Kind() == reflect.Interface && !value.IsNil() && value.Elem().Type() == reflect.TypeFor[*grpc.Server]() {
			return insideServer{value.Elem().Elem()}
		}
		v = v.FieldByName("Context")
	}
}

func (s insideServer) hasService(name string) bool { return s.service(name).IsValid() }

func (s insideServer) hasMethod(service, name string) bool {
	info := s.service(service)
	if info.Kind() != reflect.Pointer || info.IsNil() {
		return false
	}
	streams := info.Elem().FieldByName("streams")
	return streams.Kind() == reflect.Map && streams.MapIndex(reflect.ValueOf(name)).IsValid()
}

func (s insideServer) service(name string) reflect.Value {
	if !s.v.IsValid() {
		return reflect.Value{}
	}
	services := s.v.FieldByName("services")
	if services.Kind() != reflect.Map {
		return reflect.Value{}
	}
	return services.MapIndex(reflect.ValueOf(name))
}

// unknownIsOurs tells whether unknown methods end in answerUnknown.
func (s insideServer) unknownIsOurs() bool {
	if !s.v.IsValid() {
		return false
	}
	opts := s.v.FieldByName("opts")
	if opts.Kind() != reflect.Struct {
		return false
	}
	desc := opts.FieldByName("unknownStreamDesc")
	if desc.Kind() != reflect.Pointer || desc.IsNil() {
		return false
	}
	handler := desc.Elem().FieldByName("Handler")
	return handler.Kind() == reflect.Func && handler.Pointer() == reflect.ValueOf((*core)(nil).answerUnknown).Pointer()
}
