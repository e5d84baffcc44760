import protobuf from 'protobufjs/light.js';
import descriptor from './onnx.proto.json';

/**
 * ONNX files as plain objects. `onnx.proto` is the official schema; `onnx.proto.json` is the same in the form that needs no
 * parser at run time (a test keeps the two equal). 64-bit integers are numbers when written and `Long` objects when read, which
 * keeps sentinels such as 2⁶³ − 1 exact through reading and writing; `toNumber` reads both.
 */
export type Int64 = number | { toNumber(): number };

export interface TensorProto {
  name?: string;
  dims?: Int64[];
  dataType?: number;
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: Int64[];
  externalData?: { key: string; value: string }[];
  dataLocation?: number;
}

export interface Dimension {
  dimValue?: Int64;
  dimParam?: string;
}

export interface ValueInfoProto {
  name?: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim?: Dimension[] } } };
}

export interface AttributeProto {
  name: string;
  type?: number;
  f?: number;
  i?: Int64;
  s?: Uint8Array;
  t?: TensorProto;
  g?: GraphProto;
  floats?: number[];
  ints?: Int64[];
  tensors?: TensorProto[];
  graphs?: GraphProto[];
}

export interface NodeProto {
  name?: string;
  opType: string;
  domain?: string;
  input?: string[];
  output?: string[];
  attribute?: AttributeProto[];
}

export interface GraphProto {
  name?: string;
  node?: NodeProto[];
  initializer?: TensorProto[];
  sparseInitializer?: { values?: TensorProto }[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
}

export interface FunctionProto {
  name: string;
  domain?: string;
  node?: NodeProto[];
}

export interface ModelProto {
  irVersion?: Int64;
  producerName?: string;
  opsetImport?: { domain?: string; version?: Int64 }[];
  graph?: GraphProto;
  functions?: FunctionProto[];
}

/** Element types of `TensorProto.DataType`. */
export const elementType = { float: 1, int32: 6, int64: 7, bool: 9, float16: 10, double: 11, bfloat16: 16 } as const;

/** Types of `AttributeProto.AttributeType`. */
export const attributeType = { float: 1, int: 2, ints: 7 } as const;

const modelProto = protobuf.Root.fromJSON(descriptor).lookupType('onnx.ModelProto');

/**
 * Decodes an ONNX file. Raw tensor data are views into `bytes`, not copies, if `bytes` is a Buffer.
 * @throws Error (protobuf's) when the bytes are not an ONNX model or are cut off.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return modelProto.decode(bytes) as unknown as ModelProto;
}

/** The bytes of an ONNX file. */
export function encodeModel(model: ModelProto): Uint8Array {
  return modelProto.encode(model).finish();
}

export function toNumber(value: Int64): number {
  return typeof value === 'number' ? value : value.toNumber();
}
