import { expect } from 'chai';
import { typeOfMeta } from '../../../../operator/base/write-resource.ts';

function meta(id: string, apiVersion: string) {
  return { id, apiVersion, kind: 'K', name: 'n', resourceVersion: '1' };
}

describe('operator/base/write-resource', () => {
  it('finds the kind in the id of a meta, in any group', () => {
    expect(typeOfMeta(meta('widgets.a.example.com/v1', 'a.example.com/v1'))).to.include({
      group: 'a.example.com',
      version: 'v1',
      plural: 'widgets',
    });
    expect(typeOfMeta(meta('configmaps.v1', 'v1'))).to.include({
      group: '',
      version: 'v1',
      plural: 'configmaps',
    });
  });

  it('refuses an id that names no kind', () => {
    for (const [id, apiVersion] of [
      ['widgets', 'v1'],
      ['.v1', 'v1'],
      ['widgets.other/v1', 'example.com/v1'],
    ] as const) {
      expect(() => typeOfMeta(meta(id, apiVersion)), id).to.throw('is not the id of a resource');
    }
  });
});
