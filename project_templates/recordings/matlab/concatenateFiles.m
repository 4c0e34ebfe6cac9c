function concatenateFiles(out, varargin)
%CONCATENATEFILES  Join files, byte for byte, in the order given.
%   concatenateFiles(out, in1, in2, ...)
    parts = cellfun(@readBytes, varargin, 'UniformOutput', false);
    writeBytes(out, vertcat(parts{:}));
end
